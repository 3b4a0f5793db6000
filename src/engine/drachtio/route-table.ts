/** Verbs that one application may register; more are refused. */
export const MAX_VERBS_PER_CLIENT = 64;

/** Which applications want which verb, and whose turn it is. Verbs are compared without regard to case. */
export class RouteTable<Client> {
  private readonly clientsByVerb = new Map<string, { clients: Client[]; turn: number }>();
  private readonly verbsByClient = new Map<Client, Set<string>>();

  /** Adds a route; a repeated one changes nothing. Returns false when the client has too many. */
  add(client: Client, verb: string): boolean {
    const key = verb.toLowerCase();
    const verbs = this.verbsByClient.get(client) ?? new Set();
    if (verbs.has(key)) return true;
    if (verbs.size >= MAX_VERBS_PER_CLIENT) return false;
    this.verbsByClient.set(client, verbs.add(key));
    const entry = this.clientsByVerb.get(key) ?? { clients: [], turn: 0 };
    entry.clients.push(client);
    this.clientsByVerb.set(key, entry);
    return true;
  }

  /** Removes that verb of that client only. */
  remove(client: Client, verb: string): void {
    const key = verb.toLowerCase();
    const entry = this.clientsByVerb.get(key);
    const at = entry?.clients.indexOf(client) ?? -1;
    this.verbsByClient.get(client)?.delete(key);
    if (!entry || at < 0) return;
    entry.clients.splice(at, 1);
    if (entry.turn > at) entry.turn--;
    if (entry.clients.length === 0) this.clientsByVerb.delete(key);
  }

  /** Forgets a client that has gone. */
  removeClient(client: Client): void {
    for (const verb of [...(this.verbsByClient.get(client) ?? [])]) this.remove(client, verb);
    this.verbsByClient.delete(client);
  }

  /** The next client in turn for `verb` that `fits`; undefined when there is none. */
  pick(verb: string, fits: (client: Client) => boolean = () => true): Client | undefined {
    const entry = this.clientsByVerb.get(verb.toLowerCase());
    if (!entry) return undefined;
    const { clients } = entry;
    for (let tries = 0; tries < clients.length; tries++) {
      if (entry.turn >= clients.length) entry.turn = 0;
      const client = clients[entry.turn++]!;
      if (fits(client)) return client;
    }
    return undefined;
  }
}
