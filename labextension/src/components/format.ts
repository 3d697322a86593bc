import type { TranslationBundle } from '@jupyterlab/translation';

const NUMBER = new Intl.NumberFormat(undefined, { maximumSignificantDigits: 6 });
const SECONDS = new Intl.NumberFormat(undefined, { maximumFractionDigits: 1 });
const MILLISECONDS = new Intl.NumberFormat(undefined, { maximumSignificantDigits: 3 });
const PERCENT = new Intl.NumberFormat(undefined, { style: 'percent', maximumFractionDigits: 2 });
const WHOLE = new Intl.NumberFormat();
const SMALL = new Intl.NumberFormat(undefined, { notation: 'scientific', maximumSignificantDigits: 3 });
const SINCE = new Intl.RelativeTimeFormat(undefined, { numeric: 'auto' });
const AGO = new Intl.RelativeTimeFormat(undefined, { numeric: 'auto', style: 'short' });
const ABSOLUTE = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'medium' });
const ROUGH = new Intl.NumberFormat(undefined, { maximumSignificantDigits: 3 });
const SCORE = new Intl.NumberFormat(undefined, { maximumSignificantDigits: 4 });
const DIFFERENCE = new Intl.NumberFormat(undefined, { maximumSignificantDigits: 3, signDisplay: 'exceptZero' });
const DAY = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'short', hour: 'numeric', minute: '2-digit' });
const SPAN = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'short' });
const STEPS: readonly [Intl.RelativeTimeFormatUnit, number][] = [
  ['year', 31_536_000],
  ['month', 2_592_000],
  ['day', 86_400],
  ['hour', 3600],
  ['minute', 60]
];

/** A number as people read it: up to six digits. */
export function numberText(value: number): string {
  const size = Math.abs(value);
  return size !== 0 && (size < 1e-4 || size >= 1e12) ? SMALL.format(value) : Number.isInteger(value) ? WHOLE.format(value) : NUMBER.format(value);
}

/** A number that is measured, and not exact: three digits. */
export function roughText(value: number): string {
  return ROUGH.format(value);
}

/** How right a model was: four digits. */
export function scoreText(value: number): string {
  return SCORE.format(value);
}

/** A difference, with its sign: three digits. */
export function differenceText(value: number): string {
  return DIFFERENCE.format(value);
}

/** A duration in seconds. */
export function secondsText(seconds: number, trans: TranslationBundle): string {
  return seconds < 60
    ? trans.__('%1 s', SECONDS.format(seconds))
    : trans.__('%1 min %2 s', WHOLE.format(Math.floor(seconds / 60)), WHOLE.format(Math.floor(seconds % 60)));
}

/** A duration in seconds that is mostly far below one, in milliseconds. */
export function shortTimeText(seconds: number, trans: TranslationBundle): string {
  return seconds < 1 ? trans.__('%1 ms', MILLISECONDS.format(1000 * seconds)) : secondsText(seconds, trans);
}

/** A part of 1. */
export function percentText(part: number): string {
  return PERCENT.format(part);
}

/** A time that has passed, as `5 minutes ago`; in ms since 1970. */
export function sinceText(time: number, now = Date.now()): string {
  return passed(time, now, SINCE);
}

/** The same in few letters. */
export function agoText(time: number, now = Date.now()): string {
  return passed(time, now, AGO);
}

function passed(time: number, now: number, format: Intl.RelativeTimeFormat): string {
  const seconds = Math.min(0, (time - now) / 1000); // clocks of two machines differ
  const [unit, length] = STEPS.find(([, one]) => -seconds >= one) ?? ['second', 1];
  return format.format(Math.trunc(seconds / length), unit);
}

/** Such a time as date and time. */
export function timeText(time: number): string {
  return ABSOLUTE.format(time);
}

/** Such a time in few letters. */
export function shortDateText(time: number): string {
  return DAY.format(time);
}

/** From one time to another. */
export function spanText(since: number, until: number): string {
  return SPAN.formatRange(since, until);
}

/** What a metric, a figure or a parameter holds. */
export function valueText(value: unknown): string {
  if (typeof value === 'number') {
    return numberText(value);
  }
  return value === null || value === undefined ? '–' : typeof value === 'string' ? value : JSON.stringify(value);
}
