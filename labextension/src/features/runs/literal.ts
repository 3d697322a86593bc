/*
 * Python literals, as a parameters cell and a run's parameters hold them: numbers, texts, True, False, None, lists, tuples
 * and dictionaries with texts for keys. JSON's words are understood too.
 */

/** What a literal stands for, as JSON; a tuple becomes a list. Throws a `SyntaxError` for anything else. */
export function parseLiteral(text: string): unknown {
  const reader = new Reader(text);
  const value = reader.value();
  reader.end();
  return value;
}

/** A JSON value as Python writes it. */
export function literalText(value: unknown): string {
  if (value === null || value === undefined) {
    return 'None';
  }
  if (typeof value === 'boolean') {
    return value ? 'True' : 'False';
  }
  if (Array.isArray(value)) {
    return `[${value.map(literalText).join(', ')}]`;
  }
  if (typeof value === 'object') {
    const pairs = Object.entries(value).map(([key, one]) => `${JSON.stringify(key)}: ${literalText(one)}`);
    return `{${pairs.join(', ')}}`;
  }
  return typeof value === 'string' ? JSON.stringify(value) : String(value);
}

const WORDS: Readonly<Record<string, boolean | null>> = { True: true, true: true, False: false, false: false, None: null, null: null };
const NUMBER = /[+-]?(?:\d[\d_]*\.?[\d_]*|\.\d[\d_]*)(?:[eE][+-]?\d+)?/y;
const WORD = /[A-Za-z]+/y;
const SPACE = /\s*/y;
const ESCAPES: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r', b: '\b', f: '\f', '\n': '' };
const CODES: Readonly<Record<string, number>> = { x: 2, u: 4, U: 8 };

class Reader {
  constructor(private readonly text: string) {}

  value(): unknown {
    this.take(SPACE);
    switch (this.text[this.at]) {
      case '[':
        return this.items(']').values;
      case '(': {
        const { values, comma } = this.items(')');
        return values.length === 1 && !comma ? values[0] : values;
      }
      case '{':
        return this.pairs();
      case "'":
      case '"':
        return this.string();
    }
    const number = this.take(NUMBER);
    if (number !== null) {
      return Number(number.replaceAll('_', ''));
    }
    const word = this.take(WORD);
    if (word !== null && word in WORDS) {
      return WORDS[word];
    }
    throw this.wrong();
  }

  end(): void {
    this.take(SPACE);
    if (this.at < this.text.length) {
      throw this.wrong();
    }
  }

  private items(close: string): { values: unknown[]; comma: boolean } {
    const values: unknown[] = [];
    const comma = this.list(close, () => values.push(this.value()));
    return { values, comma };
  }

  private pairs(): Record<string, unknown> {
    const pairs: [string, unknown][] = [];
    this.list('}', () => {
      const key = this.value();
      if (typeof key !== 'string' || !this.skip(':')) {
        throw this.wrong();
      }
      pairs.push([key, this.value()]);
    });
    return Object.fromEntries(pairs);
  }

  /** What stands between brackets, with commas; returns whether the last comma has nothing behind it. */
  private list(close: string, read: () => void): boolean {
    this.at++;
    let comma = false;
    while (!this.skip(close)) {
      read();
      comma = this.skip(',');
      if (!comma) {
        if (!this.skip(close)) {
          throw this.wrong();
        }
        break;
      }
    }
    return comma;
  }

  private string(): string {
    const quote = this.text[this.at++];
    let out = '';
    while (this.at < this.text.length) {
      const one = this.text[this.at++];
      if (one === quote) {
        return out;
      }
      out += one === '\\' ? this.escape() : one;
    }
    throw this.wrong();
  }

  private escape(): string {
    const one = this.text[this.at++];
    if (one in CODES) {
      const digits = this.text.slice(this.at, this.at + CODES[one]);
      const code = Number.parseInt(digits, 16);
      if (!/^[0-9a-fA-F]+$/.test(digits) || digits.length < CODES[one] || code > 0x10ffff) {
        throw this.wrong();
      }
      this.at += CODES[one];
      return String.fromCodePoint(code);
    }
    return ESCAPES[one] ?? one;
  }

  private skip(sign: string): boolean {
    this.take(SPACE);
    const found = this.text[this.at] === sign;
    this.at += found ? 1 : 0;
    return found;
  }

  private take(pattern: RegExp): string | null {
    pattern.lastIndex = this.at;
    const found = pattern.exec(this.text);
    this.at += found?.[0].length ?? 0;
    return found?.[0] ?? null;
  }

  private wrong(): SyntaxError {
    return new SyntaxError(`No literal at character ${this.at + 1}.`);
  }

  private at = 0;
}
