/** Of every row, in px. */
export const ROW_HEIGHT = 28;
export const HEAD_HEIGHT = 32;
/** Width of the box that selects. */
export const TICK = 28;

const MOST = 60; // rows in the page
const AROUND = 10;
const UNMEASURED = 400; // px, before the browser has laid anything out

export interface IGridColumn {
  key: string;
  title: string;
  width: number;
  /** Numbers stand at the end of their cell. */
  end?: boolean;
  /** Stays where it is when the table is scrolled sideways, where there is room for that. */
  sticky?: boolean;
  /** What the title means, for who points at it. */
  caption?: string;
}

/** Where the keyboard is in a grid. */
export interface GridPlace {
  row: number;
  column: number;
}

/** Rows that are seen, and those that are in the page, with some around so that scrolling finds them there. */
export function rowsInView(top: number, height: number, rowHeight: number, count: number): { first: number; end: number; firstSeen: number; lastSeen: number } {
  const room = height > 0 ? height : UNMEASURED;
  const firstSeen = Math.max(0, Math.min(Math.floor(top / rowHeight), count - 1));
  const seen = Math.min(MOST - 2, Math.ceil(room / rowHeight) + 1);
  const around = Math.max(1, Math.min(AROUND, Math.floor((MOST - seen) / 2)));
  return {
    first: Math.max(0, firstSeen - around),
    end: Math.min(count, firstSeen + seen + around),
    firstSeen,
    lastSeen: Math.max(firstSeen, Math.min(count - 1, firstSeen + seen - 1))
  };
}

/** Where a key leads; null if it is none that moves. */
export function moved(at: GridPlace, key: string, size: { rows: number; columns: number; page: number }): GridPlace | null {
  const row = (value: number): GridPlace => ({ ...at, row: Math.max(0, Math.min(size.rows - 1, value)) });
  const column = (value: number): GridPlace => ({ ...at, column: Math.max(0, Math.min(size.columns - 1, value)) });
  switch (key) {
    case 'ArrowDown':
      return row(at.row + 1);
    case 'ArrowUp':
      return row(at.row - 1);
    case 'PageDown':
      return row(at.row + size.page);
    case 'PageUp':
      return row(at.row - size.page);
    case 'Home':
      return row(0);
    case 'End':
      return row(size.rows - 1);
    case 'ArrowRight':
      return column(at.column + 1);
    case 'ArrowLeft':
      return column(at.column - 1);
    default:
      return null;
  }
}
