import type { CodeAction, CodeTable } from '../routing/feature-codes.js';
import type { GroupStrategy, HuntGroup, NumberEntry, TimeRule } from '../routing/types.js';

/** Fields of a group that an operator may give; an empty overflow takes it away. */
export interface GroupInput {
  readonly name?: string | undefined;
  readonly members?: readonly string[] | undefined;
  readonly strategy?: GroupStrategy | undefined;
  readonly memberSec?: number | undefined;
  readonly overflow?: string | undefined;
}

/** A page of a listing, in key order. */
export interface Page {
  readonly after?: string;
  /** 1..1000, default 100. */
  readonly limit?: number;
}

/**
 * Hunt groups, short numbers, time rules and feature codes, as consoles and calls see them. Changes reject with
 * NumberingError (NUMBER_EXISTS, NUMBER_UNKNOWN, FIELD_INVALID), all with StoreError when the Store is away.
 */
export interface NumberingService {
  /** For calls, from memory where it can. */
  group(number: string): Promise<HuntGroup | undefined>;
  entry(number: string): Promise<NumberEntry | undefined>;
  codes(): Promise<CodeTable>;
  /** The groups that a user is a member of. */
  groupsOf(username: string): Promise<HuntGroup[]>;

  listGroups(page?: Page): Promise<HuntGroup[]>;
  addGroup(number: string, input: GroupInput): Promise<HuntGroup>;
  modifyGroup(number: string, input: GroupInput): Promise<HuntGroup>;
  removeGroup(number: string): Promise<void>;

  listNumbers(page?: Page): Promise<NumberEntry[]>;
  /** A short number; with an empty `to` only its time rules lead anywhere. */
  addNumber(number: string, to: string): Promise<NumberEntry>;
  modifyNumber(number: string, to: string): Promise<NumberEntry>;
  removeNumber(number: string): Promise<void>;
  /** Adds a rule behind the others; the number is made when it is new. */
  addRule(number: string, rule: TimeRule): Promise<NumberEntry>;
  /** Removes the rule at that place, from 1. */
  removeRule(number: string, place: number): Promise<NumberEntry>;

  setCode(action: CodeAction, code: string): Promise<CodeTable>;
}
