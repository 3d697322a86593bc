import { nullTranslator } from '@jupyterlab/translation';
import { act, fireEvent, render, screen } from '@testing-library/react';
import { Widget } from '@lumino/widgets';

import { ApiError } from '../api/client';
import { LazyWidget } from './lazy';
import { Empty, Failure } from './state';

const trans = nullTranslator.load('jupyter_mlops');

describe('states', () => {
  it('say what is there to do', () => {
    render(<Empty title="No runs yet">Run a cell.</Empty>);
    expect(screen.getByText('No runs yet')).toBeTruthy();
    expect(screen.getByText('Run a cell.')).toBeTruthy();
  });

  it('offer to try again', () => {
    const retry = jest.fn();
    render(<Failure error={new ApiError('tracking', 'MLflow is away.', 'Start it.')} trans={trans} retry={retry} />);
    expect(screen.getByRole('alert').textContent).toContain('Start it.');
    fireEvent.click(screen.getByRole('button', { name: 'Try Again' }));
    expect(retry).toHaveBeenCalledTimes(1);
  });
});

describe('a lazy widget', () => {
  it('loads when it is shown, once, and tries again after a failure', async () => {
    const error = jest.spyOn(console, 'error').mockImplementation(() => undefined);
    const load = jest.fn().mockRejectedValueOnce(new Error('no chunk')).mockResolvedValue(<p>here</p>);
    const widget = new LazyWidget(load, trans);
    expect(load).not.toHaveBeenCalled();
    await act(async () => Widget.attach(widget, document.body));
    expect(await screen.findByText('This part of the extension could not be loaded.')).toBeTruthy();
    await act(async () => fireEvent.click(screen.getByRole('button', { name: 'Try Again' })));
    expect(await screen.findByText('here')).toBeTruthy();
    widget.hide();
    widget.show();
    expect(load).toHaveBeenCalledTimes(2);
    widget.dispose();
    error.mockRestore();
  });
});
