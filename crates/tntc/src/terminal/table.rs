//! Plain columns, as `kubectl get` prints them.

use comfy_table::Table;
use comfy_table::presets;
use jiff::Timestamp;
use tntc_core::terminal;

/// Rows under a header, columns as wide as their widest cell.
pub fn render<const N: usize>(
    header: [&str; N],
    rows: impl IntoIterator<Item = [String; N]>,
) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_header(header);
    for row in rows {
        table.add_row(row.map(|cell| one_line(&cell)));
    }
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    let lines: Vec<_> = table
        .lines()
        .map(|line| line.trim_end().to_owned())
        .collect();
    lines.join("\n")
}

/// A cell that cannot look like another row, and whose width is the one that is seen.
fn one_line(cell: &str) -> String {
    let joined = cell.replace(['\n', '\t'], " ");
    terminal::shown(&joined).into_owned()
}

/// Age in its largest unit: `42s`, `5m`, `3h`, `2d`.
pub fn age(now: Timestamp, since: Timestamp) -> String {
    let seconds = now.duration_since(since).as_secs().max(0);
    match seconds {
        0..60 => format!("{seconds}s"),
        60..3600 => format!("{}m", seconds / 60),
        3600..86400 => format!("{}h", seconds / 3600),
        _ => format!("{}d", seconds / 86400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_age_is_told_in_its_largest_unit() {
        let start = Timestamp::UNIX_EPOCH;
        let ages = [59, 60, 7200, 172_800]
            .map(|second| age(Timestamp::from_second(second).expect("a time"), start));
        assert_eq!(ages, ["59s", "1m", "2h", "2d"]);
    }

    #[test]
    fn a_cell_is_one_line_and_does_nothing_to_a_terminal() {
        let rows = [["a\nfake  ok".to_owned(), "\u{1b}[2J".to_owned()]];
        assert_eq!(
            render(["N", "V"], rows),
            "N           V\na fake  ok  \\u{1b}[2J"
        );
    }

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let rows = [
            ["a".to_owned(), "1".to_owned()],
            ["longer".to_owned(), "2".to_owned()],
        ];
        assert_eq!(render(["N", "V"], rows), "N       V\na       1\nlonger  2");
    }
}
