import type { TranslationBundle } from '@jupyterlab/translation';
import type { CommandRegistry } from '@lumino/commands';

import type { IJobs, IReview, ISidebar } from '../../tokens';
import { NotebookSection } from './panel';
import { Start } from './start';

/** The section's content, loaded when it is shown for the first time. */
export function content(
  review: IReview,
  jobs: IJobs,
  commands: CommandRegistry,
  sidebar: ISidebar,
  trans: TranslationBundle
): JSX.Element {
  const start = new Start(review, jobs, commands, section => sidebar.reveal(section), trans);
  const look = (): void => {
    if (sidebar.isShown('notebook')) {
      void start.look();
    }
  };
  sidebar.visibleChanged.connect(look);
  review.current.changed.connect(look);
  look();
  return <NotebookSection review={review} start={start} server={sidebar.server} trans={trans} />;
}
