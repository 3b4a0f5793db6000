/** Remembers whether something answers and tells each change. */
export class Availability {
  private readonly listeners = new Set<(alive: boolean) => void>();

  constructor(private state: boolean) {}

  get alive(): boolean {
    return this.state;
  }

  /** Sets the state; listeners hear of it only when it changed. */
  set(alive: boolean): void {
    if (alive === this.state) return;
    this.state = alive;
    for (const listener of [...this.listeners]) listener(alive);
  }

  /** Subscribes; returns what unsubscribes. */
  subscribe(listener: (alive: boolean) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }
}
