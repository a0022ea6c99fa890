export { connect, headers } from "npm:@nats-io/transport-node@3.4.0";
export { jetstream, jetstreamManager } from "npm:@nats-io/jetstream@3.4.0";
