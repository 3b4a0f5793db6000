import type { User, UserService } from '../accounts/types.js';
import type { AudioEndpoint, AudioEndpointUser, AudioHost } from '../audio/types.js';
import type { Call } from '../call/call.js';
import { type CauseName, causeOf } from '../call/causes.js';
import type { ConferencePort, SeatLine } from '../call/conference-port.js';
import { CallRefusedError } from '../call/errors.js';
import { type Clock, systemClock } from '../platform/clock.js';
import { errorMessage } from '../platform/errors.js';
import type { Logger } from '../platform/logger.js';
import { roomFault } from '../routing/decide-room.js';
import { sayStep } from '../routing/steps.js';
import type { RoomFacts } from '../routing/types.js';
import type { Store } from '../store/types.js';
import { ConferenceError, empty, unknown } from './errors.js';
import { roomReason } from './room-number.js';
import { mixOf, Seat, type SeatHost } from './seat.js';
import { StoredRooms } from './stored-rooms.js';
import type {
  ConferenceService,
  ConferenceSettings,
  ConferenceSettingsInput,
  MemberView,
  Page,
  RoomInput,
  RoomView,
  StoredRoom,
} from './types.js';

export interface ConferencesOptions {
  readonly store: Pick<Store, 'collection'>;
  readonly users: Pick<UserService, 'authData'>;
  readonly audio: Pick<AudioHost, 'open' | 'playToMix'>;
  /** Where audio endpoints are, an IP address. */
  readonly address: string;
  /** Rings the phones of a subscriber, and calls a number for it when one answers. */
  callFor(user: User, to: string, by: string): Call;
  readonly log: Logger;
  readonly clock?: Clock;
}

/** A room that somebody is in. */
interface LiveRoom {
  readonly room: string;
  readonly seats: Set<Seat>;
  readonly since: number;
  name: string;
  maxMembers: number;
  isLocked: boolean;
  hasTones: boolean;
}

/** Rooms, and who is in them. A room is there while it has members; calls bring them in and end their seats. */
export class Conferences implements ConferencePort, ConferenceService, SeatHost {
  readonly address: string;
  private readonly stored: StoredRooms;
  private readonly live = new Map<string, LiveRoom>();
  private readonly clock: Clock;

  constructor(private readonly options: ConferencesOptions) {
    this.address = options.address;
    this.clock = options.clock ?? systemClock;
    this.stored = new StoredRooms(options.store, this.clock);
  }

  async room(candidates: readonly string[]): Promise<RoomFacts | undefined> {
    return (await this.find(candidates))?.facts;
  }

  seat(room: string, line: SeatLine, trunk: string | undefined): Seat {
    return new Seat(room, line, trunk, this);
  }

  async enter(seat: Seat): Promise<void> {
    const found = await this.find([seat.room]);
    if (!found) throw new CallRefusedError('callee-unknown', `${seat.room} is no room any more`);
    const { facts, settings, stored } = found;
    // What was true when the call was routed may have changed, and asking took time.
    const now = { ...facts, ...this.stateOf(seat.room) };
    const fault = roomFault(now, seat.trunk);
    if (fault) throw new CallRefusedError(fault.refusal, sayStep(fault.why));
    const since = this.clock.now();
    const { maxMembers } = facts;
    const { hasTones } = settings;
    const room = this.live.get(seat.room) ?? {
      room: seat.room,
      name: stored?.name ?? '',
      seats: new Set(),
      since,
      maxMembers,
      isLocked: false,
      hasTones,
    };
    Object.assign(room, { maxMembers, hasTones });
    seat.since = since;
    room.seats.add(seat);
    this.live.set(seat.room, room);
  }

  open(user: AudioEndpointUser, offer: string | undefined): Promise<AudioEndpoint> {
    return this.options.audio.open(user, offer);
  }

  joined(seat: Seat): void {
    this.options.log.debug({ room: seat.room, member: seat.line.party }, 'came into a conference room');
    this.sign(seat.room, 'join');
  }

  left(seat: Seat): void {
    const room = this.live.get(seat.room);
    if (!room?.seats.delete(seat)) return;
    if (room.seats.size === 0) this.live.delete(seat.room);
    else if (seat.wasIn) this.sign(seat.room, 'leave');
  }

  settings(): Promise<ConferenceSettings> {
    return this.stored.settings();
  }

  modify(input: ConferenceSettingsInput): Promise<ConferenceSettings> {
    return this.stored.modify(input);
  }

  list(page: Page = {}): Promise<StoredRoom[]> {
    return this.stored.list(page);
  }

  add(room: string, input: RoomInput): Promise<StoredRoom> {
    return this.stored.add(room, input);
  }

  change(room: string, input: RoomInput): Promise<StoredRoom> {
    return this.stored.change(room, input);
  }

  remove(room: string): Promise<void> {
    return this.stored.remove(room);
  }

  rooms(): RoomView[] {
    return [...this.live.values()]
      .map(({ seats, hasTones: _, ...room }) => ({ ...room, members: seats.size }))
      .sort((x, y) => (x.room < y.room ? -1 : 1));
  }

  members(room?: string): MemberView[] {
    const rooms = room === undefined ? [...this.live.values()] : [this.must(room)];
    return rooms.flatMap(({ seats }) => [...seats].map(viewOf));
  }

  lock(room: string, isLocked: boolean): void {
    this.must(room).isLocked = isLocked;
  }

  mute(room: string, member: string | undefined, isMuted: boolean): number {
    const seats = this.seatsOf(room, member);
    for (const seat of seats) seat.mute(isMuted);
    return seats.length;
  }

  kick(room: string, member: string): number {
    return endCalls(this.seatsOf(room, member), 'conference-removed');
  }

  end(room: string): number {
    return endCalls(this.seatsOf(room, undefined), 'conference-ended');
  }

  async invite(room: string, usernames: readonly string[], by: string): Promise<string[]> {
    const facts = await this.room([room]);
    if (!facts) throw unknown(room);
    const users = await Promise.all(usernames.map((username) => this.userOf(username)));
    return users.map((user) => this.options.callFor(user, room, by).id);
  }

  private async userOf(username: string): Promise<User> {
    const user = await this.options.users.authData(username);
    if (user) return user;
    throw new ConferenceError('CONF_MEMBER_UNKNOWN', `${username} is no subscriber`, username);
  }

  private async find(
    candidates: readonly string[],
  ): Promise<{ facts: RoomFacts; settings: ConferenceSettings; stored: StoredRoom | undefined } | undefined> {
    const settings = await this.stored.settings();
    for (const room of candidates) {
      const because = roomReason(settings, room);
      if (because === undefined) continue;
      const stored = await this.stored.get(room);
      if (!stored && !settings.isOpen) continue;
      const { maxRooms } = settings;
      const maxMembers = stored?.maxMembers ?? settings.maxMembers;
      const mayOutside = stored?.mayOutside ?? false;
      const facts = { room, because, maxMembers, mayOutside, maxRooms, ...this.stateOf(room) };
      return { facts, settings, stored };
    }
    return undefined;
  }

  private stateOf(room: string): Pick<RoomFacts, 'members' | 'isLocked' | 'rooms'> {
    const live = this.live.get(room);
    return { members: live?.seats.size ?? 0, isLocked: live?.isLocked ?? false, rooms: this.live.size };
  }

  private must(room: string): LiveRoom {
    const live = this.live.get(room);
    if (!live) throw empty(room);
    return live;
  }

  private seatsOf(room: string, member: string | undefined): Seat[] {
    const seats = [...this.must(room).seats];
    const found = seats.filter(({ line }) => member === undefined || line.party === member);
    if (found.length > 0) return found;
    throw new ConferenceError('CONF_MEMBER_UNKNOWN', `${member} is not in room ${room}`, member);
  }

  /** Everybody in the room hears it. */
  private sign(room: string, tone: 'join' | 'leave'): void {
    if (!this.live.get(room)?.hasTones) return;
    const { audio, log } = this.options;
    audio
      .playToMix(mixOf(room), { tone })
      .catch((error: unknown) => log.info({ room, reason: errorMessage(error) }, 'no tone in a conference'));
  }
}

function viewOf({ room, line, since, isMuted, isHeld }: Seat): MemberView {
  return { room, member: line.party, since, isMuted, isHeld, call: line.call?.id ?? '' };
}

function endCalls(seats: readonly Seat[], cause: CauseName): number {
  for (const { line } of seats) line.call?.conclude({ cause: causeOf(cause), by: 'OPERATOR' });
  return seats.length;
}
