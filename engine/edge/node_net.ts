/**
 * Sockets of Node that a permission keeps from connecting. Clients of databases and queues try again
 * for as long as they are let, so that each refusal is noted.
 */

import net from "node:net";
import { explainError, isRefusal } from "../core/refusal.ts";
import { noteRefusal } from "./refusals.ts";

/** Several connections of one pool are refused at once, which is no second try. */
const MOST = 5;

const { destroy } = net.Socket.prototype;

net.Socket.prototype.destroy = function (this: net.Socket, error?: Error): net.Socket {
  if (error !== undefined && isRefusal(error)) {
    explainError(error);
    noteRefusal(error.message, error, MOST);
  }
  return destroy.call(this, error);
};
