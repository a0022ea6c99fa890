/** What the nodes hand to each other. */

/** As the API gives it. */
export interface Product {
  id: number;
  name: string;
  price: string;
  discontinued?: boolean;
}

/** As the table has it. */
export interface Row {
  id: number;
  name: string;
  cents: number;
}
