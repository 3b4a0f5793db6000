/** How conferences work; kept in the Store. */
export interface ConferenceSettings {
  /** Off: no number is a room. */
  readonly enabled: boolean;
  /** Numbers that begin with it are rooms; empty for none. */
  readonly prefix: string;
  /** Numbers that are rooms: `8000-8099`, `900`. */
  readonly ranges: readonly string[];
  /** Any such number opens a room; otherwise those that an operator has made. */
  readonly isOpen: boolean;
  /** Rooms that somebody is in, 1..500. */
  readonly maxRooms: number;
  /** Members of a room that has no limit of its own, 2..200. */
  readonly maxMembers: number;
  /** Members hear a tone when somebody comes or goes. */
  readonly hasTones: boolean;
}

export type ConferenceSettingsInput = {
  readonly [K in keyof ConferenceSettings]?: ConferenceSettings[K] | undefined;
};

/** A room that an operator has made: it has rules of its own. */
export interface StoredRoom {
  /** Its number. */
  readonly room: string;
  readonly name: string;
  /** Absent: as the settings have it. */
  readonly maxMembers?: number;
  /** Callers from trunks may come in. */
  readonly mayOutside: boolean;
}

/** Fields of a room that an operator may give; 0 members take its own limit away. */
export interface RoomInput {
  readonly name?: string | undefined;
  readonly maxMembers?: number | undefined;
  readonly mayOutside?: boolean | undefined;
}

/** A room that somebody is in. */
export interface RoomView {
  readonly room: string;
  readonly name: string;
  /** Wall milliseconds. */
  readonly since: number;
  readonly members: number;
  readonly maxMembers: number;
  readonly isLocked: boolean;
}

/** Somebody in a room. */
export interface MemberView {
  readonly room: string;
  /** Subscriber, or number of a caller from outside. */
  readonly member: string;
  /** Wall milliseconds. */
  readonly since: number;
  /** An operator has it heard no more. */
  readonly isMuted: boolean;
  /** Its phone holds the call: it neither hears nor is heard. */
  readonly isHeld: boolean;
  /** The call's record. */
  readonly call: string;
}

/** A page of a listing, in key order. */
export interface Page {
  readonly after?: string;
  readonly limit?: number;
}

/**
 * Conferences as consoles see them. Changes reject with ConferenceError (FIELD_INVALID, CONF_EXISTS, CONF_UNKNOWN, CONF_EMPTY,
 * CONF_MEMBER_UNKNOWN), and with StoreError when the Store is away.
 */
export interface ConferenceService {
  settings(): Promise<ConferenceSettings>;
  modify(input: ConferenceSettingsInput): Promise<ConferenceSettings>;

  list(page?: Page): Promise<StoredRoom[]>;
  add(room: string, input: RoomInput): Promise<StoredRoom>;
  change(room: string, input: RoomInput): Promise<StoredRoom>;
  /** Members that are in it stay. */
  remove(room: string): Promise<void>;

  /** Rooms that somebody is in, by number. */
  rooms(): RoomView[];
  /** Members of one room, or of all. */
  members(room?: string): MemberView[];
  /** Nobody comes into a locked room. It is open again once it was empty. */
  lock(room: string, isLocked: boolean): void;
  /** Without `member` everybody. Returns how many were found. */
  mute(room: string, member: string | undefined, isMuted: boolean): number;
  /** Ends the member's call. Returns how many were found. */
  kick(room: string, member: string): number;
  /** Ends the calls of all members. Returns how many. */
  end(room: string): number;
  /** Rings the phones of subscribers, and puts those into the room that answer. Resolves the calls' records. */
  invite(room: string, usernames: readonly string[], by: string): Promise<string[]>;
}
