/** Names that the server and the studio share. */
import type { ImageRow, Member } from "./schema.d.ts";

export type State = ImageRow["state"];
export type Role = Member["role"];

export const STATES: readonly State[] = ["todo", "labelling", "submitted", "accepted", "returned"];
export const ROLES: readonly Role[] = ["labeller", "reviewer", "owner"];
