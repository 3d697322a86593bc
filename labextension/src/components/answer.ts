import { DependencyList, useEffect, useState } from 'react';

import { ApiError } from '../api/client';

/** What is known of an answer; `retry` asks once more. */
export interface IAnswer<T> {
  answer: T | null;
  error: ApiError | null;
  retry: () => void;
}

/** Ask the server when a part is shown, and again when one of the values changes that the question is about. */
export function useAnswer<T>(ask: (signal: AbortSignal) => Promise<T>, about: DependencyList): IAnswer<T> {
  const [known, setKnown] = useState<Pick<IAnswer<T>, 'answer' | 'error'>>({ answer: null, error: null });
  const [attempt, setAttempt] = useState(0);
  useEffect(() => {
    const control = new AbortController();
    const keep = (answer: T | null, error: ApiError | null): void => {
      if (!control.signal.aborted) {
        setKnown({ answer, error });
      }
    };
    ask(control.signal).then(
      answer => keep(answer, null),
      (reason: unknown) => keep(null, ApiError.from(reason))
    );
    return () => control.abort();
  }, [...about, attempt]);
  return { ...known, retry: () => setAttempt(attempt + 1) };
}
