import type { AlarmName } from './catalogue.js';
import { MAX_GATHERED } from './limits.js';

/** What is gathered in the alarm that stands for all subjects of a name for which there is no room. In memory: after a restart not known. */
export class Gathered {
  private readonly keys = new Map<AlarmName, Set<string>>();

  add(name: AlarmName, key: string): void {
    const keys = this.keys.get(name) ?? new Set();
    this.keys.set(name, keys);
    if (keys.size < MAX_GATHERED) keys.add(key);
  }

  /** Takes one out; true when it was the last. */
  take(name: AlarmName, key: string): boolean {
    const keys = this.keys.get(name);
    return keys?.delete(key) === true && keys.size === 0;
  }

  forget(name: AlarmName): void {
    this.keys.delete(name);
  }
}
