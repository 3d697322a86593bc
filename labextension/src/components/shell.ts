/** A text as one word of a command for a terminal, which the shell takes as it is. */
export function shellWord(text: string): string {
  return /^[\w:/.@%+-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
