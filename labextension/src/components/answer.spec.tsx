import { act, fireEvent, render, screen } from '@testing-library/react';

import { ApiError } from '../api/client';
import { settled } from '../testing/jobs';
import { useAnswer } from './answer';

describe('an answer', () => {
  let asked: { name: string; signal: AbortSignal; answer: (text: string) => void; fail: (error: unknown) => void }[];

  function Part({ name }: { name: string }): JSX.Element {
    const ask = (signal: AbortSignal): Promise<string> =>
      new Promise((answer, fail) => {
        asked.push({ name, signal, answer, fail });
      });
    const { answer, error, retry } = useAnswer(ask, [name]);
    return <button onClick={retry}>{error?.message ?? answer ?? 'nothing yet'}</button>;
  }

  const says = (): string | null => screen.getByRole('button').textContent;
  const soon = (what: () => void): Promise<void> =>
    act(async () => {
      what();
      await settled();
    });

  beforeEach(() => {
    asked = [];
  });

  it('is asked for once, and again when the question is another one', async () => {
    const { rerender, unmount } = render(<Part name="a" />);
    expect(says()).toBe('nothing yet');
    rerender(<Part name="a" />);
    rerender(<Part name="b" />);
    expect(asked.map(one => [one.name, one.signal.aborted])).toEqual([
      ['a', true],
      ['b', false]
    ]);
    await soon(() => asked[1].answer('of b'));
    await soon(() => asked[0].answer('of a, late'));
    expect(says()).toBe('of b');
    unmount();
    expect(asked[1].signal.aborted).toBe(true);
  });

  it('that failed is asked for again when somebody says so', async () => {
    render(<Part name="a" />);
    await soon(() => asked[0].fail(new ApiError('offline', 'No answer.')));
    expect(says()).toBe('No answer.');
    await soon(() => fireEvent.click(screen.getByRole('button')));
    await soon(() => asked[1].answer('of a'));
    expect(says()).toBe('of a');
  });
});
