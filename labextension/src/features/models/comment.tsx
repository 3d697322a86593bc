import type { TranslationBundle } from '@jupyterlab/translation';

/** A comment about a decision. */
export function CommentField(props: { id: string; onChange: (comment: string) => void; trans: TranslationBundle }): JSX.Element {
  return (
    <div className="jp-mlops-Field">
      <label htmlFor={props.id}>{props.trans.__('Comment (kept in the journal)')}</label>
      <textarea id={props.id} className="jp-mod-styled" rows={2} maxLength={2000} onChange={event => props.onChange(event.target.value)} />
    </div>
  );
}
