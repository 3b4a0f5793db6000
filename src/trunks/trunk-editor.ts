import type { UserService } from '../accounts/types.js';
import { KeyedQueue } from '../platform/keyed-queue.js';
import type { OutsideRoute } from '../routing/outside-types.js';
import type { TranslationRule } from '../routing/translate.js';
import { invalid, TrunkError } from './errors.js';
import { changeRoute, MAX_ROUTES, newRoute } from './route-rules.js';
import {
  changeTrunk,
  checkName,
  checkRule,
  defaultSources,
  MAX_RULES,
  MAX_TRUNKS,
  TRUNK_DEFAULTS,
  viewOf,
} from './trunk-rules.js';
import type { TrunkTable } from './trunk-table.js';
import type { RouteInput, Trunk, TrunkInput, TrunkService, TrunkView } from './types.js';

/** Changes of trunks and routes, each checked before it is written; those of one trunk one after the other. */
export class TrunkEditor implements Omit<TrunkService, 'states'> {
  private readonly changes = new KeyedQueue();

  constructor(
    private readonly table: TrunkTable,
    private readonly users: Pick<UserService, 'authData'>,
    private readonly realm: string,
  ) {}

  list(): TrunkView[] {
    return this.table.list().map(viewOf);
  }

  async add(name: string, input: TrunkInput): Promise<TrunkView> {
    checkName(name);
    if (this.table.list().length >= MAX_TRUNKS) throw invalid(`there are ${MAX_TRUNKS} trunks already`);
    const sources = defaultSources(input.address ?? '', input.sources);
    const trunk = await this.changed({ name, ...TRUNK_DEFAULTS }, { ...input, sources });
    if (!(await this.table.putTrunk(trunk, 'create')))
      throw new TrunkError('TRUNK_EXISTS', `trunk ${name} exists`, name);
    return viewOf(trunk);
  }

  modify(name: string, input: TrunkInput): Promise<TrunkView> {
    return this.change(name, (trunk) => this.changed(trunk, input));
  }

  async remove(name: string): Promise<void> {
    const user = this.table.routes().find(({ trunks }) => trunks.some(({ trunk }) => trunk === name));
    if (user) throw invalid(`route ${user.name} leads to trunk ${name}; change it first`);
    if (!(await this.table.removeTrunk(name))) throw unknownTrunk(name);
  }

  async addRule(name: string, rule: TranslationRule, place?: number): Promise<TrunkView> {
    checkRule(rule);
    return this.change(name, (trunk) => {
      const { rules } = trunk;
      if (rules.length >= MAX_RULES) throw invalid(`a trunk has at most ${MAX_RULES} translations`);
      const at = Math.min(place ?? rules.length + 1, rules.length + 1) - 1;
      return { ...trunk, rules: [...rules.slice(0, at), rule, ...rules.slice(at)] };
    });
  }

  removeRule(name: string, place: number): Promise<TrunkView> {
    return this.change(name, (trunk) => {
      if (place < 1 || place > trunk.rules.length) throw unknownTrunk(`${name} translation ${place}`);
      return { ...trunk, rules: trunk.rules.filter((_, i) => i !== place - 1) };
    });
  }

  listRoutes(): OutsideRoute[] {
    return [...this.table.routes()].sort((x, y) => x.rank - y.rank || (x.name < y.name ? -1 : 1));
  }

  async addRoute(name: string, input: RouteInput): Promise<OutsideRoute> {
    checkName(name);
    if (this.table.routes().length >= MAX_ROUTES) throw invalid(`there are ${MAX_ROUTES} routes already`);
    const route = this.changedRoute(newRoute(name), input);
    if (!(await this.table.putRoute(route, 'create')))
      throw new TrunkError('ROUTE_EXISTS', `route ${name} exists`, name);
    return route;
  }

  async modifyRoute(name: string, input: RouteInput): Promise<OutsideRoute> {
    const before = this.table.routes().find((route) => route.name === name);
    if (!before) throw unknownRoute(name);
    const route = this.changedRoute(before, input);
    if (!(await this.table.putRoute(route, 'update'))) throw unknownRoute(name);
    return route;
  }

  async removeRoute(name: string): Promise<void> {
    if (!(await this.table.removeRoute(name))) throw unknownRoute(name);
  }

  private async changed(before: Trunk, input: TrunkInput): Promise<Trunk> {
    const trunk = changeTrunk(before, input, this.realm);
    const { name, inUsername } = trunk;
    const twin = this.table.list().find((other) => other.name !== name && other.inUsername === inUsername);
    if (inUsername !== '' && twin) throw invalid(`trunk ${twin.name} has the name ${inUsername} already`);
    // One name, one owner: credentials have to say who it is.
    if (inUsername !== '' && inUsername !== before.inUsername && (await this.users.authData(inUsername)))
      throw invalid(`${inUsername} is a subscriber; give the trunk another name`);
    return trunk;
  }

  private changedRoute(before: OutsideRoute, input: RouteInput): OutsideRoute {
    const missing = input.trunks?.find(({ trunk }) => !this.table.get(trunk));
    if (missing) throw unknownTrunk(missing.trunk);
    return changeRoute(before, input);
  }

  private change(name: string, make: (trunk: Trunk) => Trunk | Promise<Trunk>): Promise<TrunkView> {
    return this.changes.run(name, async () => {
      const before = this.table.get(name);
      if (!before) throw unknownTrunk(name);
      const trunk = await make(before);
      if (!(await this.table.putTrunk(trunk, 'update'))) throw unknownTrunk(name);
      return viewOf(trunk);
    });
  }
}

function unknownTrunk(name: string): TrunkError {
  return new TrunkError('TRUNK_UNKNOWN', `there is no trunk ${name.slice(0, 64)}`, name.slice(0, 64));
}

function unknownRoute(name: string): TrunkError {
  return new TrunkError('ROUTE_UNKNOWN', `there is no route ${name.slice(0, 64)}`, name.slice(0, 64));
}
