import type { Cell, RunColumn } from '../../api/messages/runs';
import { numberText, timeText } from '../../components/format';

const AGO = new Intl.RelativeTimeFormat(undefined, { numeric: 'auto', style: 'short' });
const STEPS: readonly [Intl.RelativeTimeFormatUnit, number][] = [
  ['year', 31_536_000],
  ['month', 2_592_000],
  ['day', 86_400],
  ['hour', 3600],
  ['minute', 60]
];

/** How long ago something was, in few letters. */
export function agoText(time: number, now = Date.now()): string {
  const seconds = Math.min(0, (time - now) / 1000); // clocks of two machines differ
  const [unit, size] = STEPS.find(([, one]) => -seconds >= one) ?? ['second', 1];
  return AGO.format(Math.trunc(seconds / size), unit);
}

/** Seconds, minutes or hours. */
export function durationText(seconds: number): string {
  if (seconds < 60) {
    return inUnit(seconds < 1 ? Number(seconds.toPrecision(2)) : Math.round(seconds * 10) / 10, 'second');
  }
  return seconds < 3600
    ? `${inUnit(Math.floor(seconds / 60), 'minute')} ${inUnit(Math.floor(seconds % 60), 'second')}`
    : `${inUnit(Math.floor(seconds / 3600), 'hour')} ${inUnit(Math.floor((seconds % 3600) / 60), 'minute')}`;
}

function inUnit(value: number, unit: 'second' | 'minute' | 'hour'): string {
  return new Intl.NumberFormat(undefined, { style: 'unit', unit, unitDisplay: 'short', maximumFractionDigits: 3 }).format(value);
}

/** A run's value as people read it; empty where there is none. */
export function columnText(value: Cell, column: Pick<RunColumn, 'kind'>): string {
  if (value === null || typeof value === 'string') {
    return value ?? '';
  }
  switch (column.kind) {
    case 'when':
      return timeText(value);
    case 'duration':
      return durationText(value);
    default:
      return numberText(value);
  }
}
