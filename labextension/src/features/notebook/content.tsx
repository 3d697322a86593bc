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
  section: string,
  trans: TranslationBundle
): JSX.Element {
  const start = new Start(review, jobs, commands, id => sidebar.reveal(id), trans);
  const look = (): void => {
    if (review.watched) {
      void start.look();
    }
  };
  sidebar.watch(section, look);
  review.current.changed.connect(look);
  return <NotebookSection review={review} start={start} server={sidebar.server} trans={trans} />;
}
