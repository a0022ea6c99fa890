/** The parts of `@nats-io/transport-node` and `@nats-io/jetstream` that the engine uses. */
// deno-lint-ignore-file camelcase -- the names of the server's own API

export interface MsgHdrs extends Iterable<[string, string[]]> {
  get(name: string): string;
  has(name: string): boolean;
  set(name: string, value: string): void;
  append(name: string, value: string): void;
}

export function headers(): MsgHdrs;

export interface Msg {
  readonly subject: string;
  readonly data: Uint8Array;
  readonly reply?: string;
  readonly headers?: MsgHdrs;
  respond(payload?: Uint8Array | string): boolean;
}

export interface Subscription {
  drain(): Promise<void>;
}

export interface Status {
  readonly type: string;
  readonly error?: Error;
}

export interface NatsConnection {
  subscribe(
    subject: string,
    options: { queue?: string; callback: (error: Error | null, message: Msg) => void },
  ): Subscription;
  publish(
    subject: string,
    payload?: Uint8Array | string,
    options?: { headers?: MsgHdrs; reply?: string },
  ): void;
  request(
    subject: string,
    payload?: Uint8Array | string,
    options?: { timeout: number; headers?: MsgHdrs },
  ): Promise<Msg>;
  flush(): Promise<void>;
  drain(): Promise<void>;
  close(): Promise<void>;
  isClosed(): boolean;
  /** Settles when the connection is closed for good, with the reason unless it was asked for. */
  closed(): Promise<void | Error>;
  status(): AsyncIterable<Status>;
}

export interface ConnectionOptions {
  readonly servers: string;
  readonly name?: string;
  readonly token?: string;
  readonly tls?: Record<string, unknown>;
  readonly resolve?: boolean;
  readonly maxReconnectAttempts?: number;
  readonly reconnectTimeWait?: number;
  readonly ignoreAuthErrorAbort?: boolean;
  readonly ignoreClusterUpdates?: boolean;
  readonly noAsyncTraces?: boolean;
  readonly timeout?: number;
}

export function connect(options: ConnectionOptions): Promise<NatsConnection>;

export interface JsMsg {
  readonly subject: string;
  readonly data: Uint8Array;
  readonly headers: MsgHdrs | undefined;
  readonly info: {
    readonly stream: string;
    readonly streamSequence: number;
    readonly deliveryCount: number;
    readonly pending: number;
  };
  ackAck(options?: { timeout?: number }): Promise<boolean>;
  nak(milliseconds?: number): void;
  working(): void;
}

export interface ConsumerMessages extends AsyncIterable<JsMsg> {
  close(): Promise<void | Error>;
}

export interface Consumer {
  fetch(options: { max_messages: number; expires: number }): Promise<ConsumerMessages>;
  info(): Promise<{ readonly num_pending: number; readonly num_ack_pending: number }>;
}

export interface StreamConfig {
  readonly name: string;
  readonly subjects: readonly string[];
  readonly retention?: "limits" | "interest" | "workqueue";
  readonly storage?: "file";
  readonly description?: string;
  readonly discard?: "old" | "new";
  /** In nanoseconds. */
  readonly max_age?: number;
  /** -1 for none. */
  readonly max_bytes?: number;
}

export type StreamUpdate = Partial<Pick<StreamConfig, "subjects" | "max_age" | "max_bytes">>;

/** What can be changed about a consumer. */
export interface ConsumerUpdate {
  readonly filter_subject?: string | undefined;
  readonly filter_subjects?: readonly string[] | undefined;
  /** In nanoseconds. */
  readonly ack_wait: number;
  readonly max_deliver: number;
  /** In nanoseconds; 0 for never. */
  readonly inactive_threshold?: number;
}

export interface ConsumerConfig extends ConsumerUpdate {
  readonly durable_name: string;
  readonly description?: string;
  readonly ack_policy: "explicit" | "none" | "all";
  readonly deliver_policy: "all" | "new";
  readonly deliver_subject?: string;
}

export interface JetStreamManager {
  readonly streams: {
    add(config: StreamConfig): Promise<unknown>;
    update(name: string, change: StreamUpdate): Promise<unknown>;
    info(name: string): Promise<{
      readonly config: StreamConfig;
      readonly state: { readonly messages: number };
    }>;
    names(subject?: string): AsyncIterable<string>;
    delete(name: string): Promise<boolean>;
  };
  readonly consumers: {
    add(stream: string, config: ConsumerConfig): Promise<unknown>;
    info(stream: string, name: string): Promise<{ readonly config: ConsumerConfig }>;
    update(stream: string, name: string, change: ConsumerUpdate): Promise<unknown>;
    delete(stream: string, name: string): Promise<boolean>;
    list(stream: string): AsyncIterable<{ readonly name: string }>;
  };
}

export interface JetStreamClient {
  readonly consumers: { get(stream: string, name: string): Promise<Consumer> };
  publish(
    subject: string,
    payload?: Uint8Array | string,
    options?: { headers?: MsgHdrs; msgID?: string },
  ): Promise<{ readonly duplicate: boolean }>;
}

export function jetstream(connection: NatsConnection): JetStreamClient;
export function jetstreamManager(connection: NatsConnection): Promise<JetStreamManager>;
