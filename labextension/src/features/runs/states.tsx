import type { TranslationBundle } from '@jupyterlab/translation';

import { numberText } from '../../components/format';
import { Button, Empty } from '../../components/state';
import type { RunsModel } from './model';

/** What stands in the place of the table when there is nothing to put into it; null if there is. */
export function NothingToShow(props: {
  model: RunsModel;
  /** Why nothing can be run and recorded, such as another language; null if it can. */
  unreadable: string | null;
  track: () => void;
  rerun: () => void;
  chooseKernel: () => void;
  trans: TranslationBundle;
}): JSX.Element | null {
  const { model, trans } = props;
  const { page, target } = model;
  if (!target.path) {
    return (
      <Empty title={trans.__('No notebook is open.')}>
        {trans.__('Open a notebook: the runs that MLflow has recorded of it are shown here.')}
      </Empty>
    );
  }
  if (model.count > 0 || model.error) {
    return null;
  }
  if (!page) {
    return <Empty title={trans.__('Looking for runs…')} />;
  }
  if (model.filter.trim()) {
    return (
      <Empty
        title={trans.__('No run passes the filter.')}
        actions={<Button onClick={() => model.setFilter('')}>{trans.__('Show All Runs')}</Button>}
      >
        {trans._n('One run is known. ', '%2 runs are known. ', page.known, numberText(page.known))}
        {trans.__('Take a word or a comparison away.')}
      </Empty>
    );
  }
  if (!page.complete) {
    return <Empty title={trans.__('Looking for runs…')} />;
  }
  if (props.unreadable !== null) {
    return <Empty title={trans.__('No runs yet.')}>{props.unreadable}</Empty>;
  }
  return (
    <Empty
      title={trans.__('No runs yet.')}
      actions={
        <>
          <Button kind="accept" onClick={props.track}>
            {trans.__('Track a Cell')}
          </Button>
          <Button onClick={props.rerun}>{trans.__('Run the Notebook…')}</Button>
          {!target.hasKernel && <Button onClick={props.chooseKernel}>{trans.__('Choose a Kernel')}</Button>}
        </>
      }
    >
      {trans.__(
        'A cell that begins with %1 is recorded as a run of “%2” whenever it runs. “Track a Cell” puts that into the cell that trains, or else the active one, and loads the magics at the top.',
        '%%track',
        page.experiment
      )}{' '}
      {target.hasKernel
        ? trans.__('Then run both cells. Or run the whole notebook with parameters of your choice.')
        : trans.__('The notebook has no kernel: choose one, then run both cells. Running the whole notebook brings its own kernel.')}
    </Empty>
  );
}
