/** Requests of an application that may wait at one gate; more are refused. */
const MAX_HELD = 4;

/** Something in a dialog that some requests of its application have to wait for. */
export class Gate {
  private held: (() => void)[] | undefined;

  /** Has `action` run once the gate opens. False when too much waits already. */
  hold(action: () => void): boolean {
    this.held ??= [];
    return this.held.length < MAX_HELD && this.held.push(action) > 0;
  }

  /** Runs what was held; to be called when nothing waits for this gate any more. */
  release(): void {
    const { held = [] } = this;
    this.held = undefined;
    for (const action of held) action();
  }
}
