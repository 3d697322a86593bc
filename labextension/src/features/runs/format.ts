import type { Cell, RunColumn } from '../../api/messages/runs';
import { numberText, timeText } from '../../components/format';

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
