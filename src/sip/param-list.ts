/** Parameters as they can be read; a Map will do. */
export interface ParamsView extends Iterable<[name: string, value: string]> {
  readonly size: number;
  get(name: string): string | undefined;
  has(name: string): boolean;
}

const NOTHING: string[] = [];
/** With more parameters than this their places are looked up: nobody's message may cost the square of its length. */
const MAX_SEARCHED = 16;

/**
 * Parameters in order: names in lower case, values as written (`''` for a bare name). Header values and URIs have few
 * or none, of which a Map would be most of a parsed message.
 */
export class ParamList implements ParamsView {
  /** Names at even places, each with its value behind it. */
  private items = NOTHING;
  /** Place of each name, when there are many. */
  private places: Map<string, number> | undefined;

  get size(): number {
    return this.items.length / 2;
  }

  get(name: string): string | undefined {
    const at = this.indexOf(name);
    return at < 0 ? undefined : this.items[at + 1];
  }

  has(name: string): boolean {
    return this.indexOf(name) >= 0;
  }

  /** Replaces the value in place, or adds the parameter at the end. */
  set(name: string, value: string): this {
    const at = this.indexOf(name);
    if (at >= 0) this.items[at + 1] = value;
    else if (this.items === NOTHING) this.items = [name, value];
    else {
      this.places?.set(name, this.items.length);
      this.items.push(name, value);
    }
    return this;
  }

  /** False when it was not there. */
  delete(name: string): boolean {
    const at = this.indexOf(name);
    if (at < 0) return false;
    this.items.splice(at, 2);
    this.places = undefined;
    return true;
  }

  *[Symbol.iterator](): IterableIterator<[name: string, value: string]> {
    for (let at = 0; at < this.items.length; at += 2) yield [this.items[at]!, this.items[at + 1]!];
  }

  /** `;name=value` for each; a bare `;name` for an empty value. */
  toString(): string {
    const { items } = this;
    let text = '';
    for (let at = 0; at < items.length; at += 2)
      text += items[at + 1] === '' ? `;${items[at]}` : `;${items[at]}=${items[at + 1]}`;
    return text;
  }

  private indexOf(name: string): number {
    const { items } = this;
    if (items.length > 2 * MAX_SEARCHED) return this.placeOf(name);
    for (let at = 0; at < items.length; at += 2) if (items[at] === name) return at;
    return -1;
  }

  private placeOf(name: string): number {
    if (!this.places) {
      this.places = new Map();
      for (let at = 0; at < this.items.length; at += 2) this.places.set(this.items[at]!, at);
    }
    return this.places.get(name) ?? -1;
  }
}
