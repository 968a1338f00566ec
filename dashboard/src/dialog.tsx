// Questions before what cannot be taken back, forms, and what came of them.

import type { ComponentChildren } from "preact";
import { useEffect, useReducer, useRef, useState } from "preact/hooks";
import { post } from "./api";
import { live } from "./live";

interface Field { name: string; label: string; value: string; hint?: string; choices?: string[] }
interface Question {
  title: string;
  text?: string;
  action: string;
  danger?: boolean;
  fields?: Field[];
  run: (values: Record<string, string>) => Promise<string[] | void>;
}

let asked: Question | null = null;
let notes: { id: number; text: string; bad: boolean }[] = [];
let nextNote = 0;
const listeners = new Set<() => void>();
const changed = () => listeners.forEach((each) => each());

export function ask(question: Question): void { asked = question; changed(); }

export function note(text: string, bad = false): void {
  const id = nextNote++;
  notes = [...notes.slice(-3), { id, text, bad }];
  changed();
  window.setTimeout(() => { notes = notes.filter((each) => each.id !== id); changed(); }, bad ? 12_000 : 5_000);
}

/** Does it, says what came of it, and looks again. */
export async function act(path: string, body: unknown, said: string): Promise<void> {
  try {
    const reply = await post(path, body);
    note(reply.lines?.length ? reply.lines.join("\n") : said);
  } catch (error) {
    note(error instanceof Error ? error.message : String(error), true);
  }
  await live.refresh();
}

/** What has lines may point from one to a word of another. */
const layout = (text: string): string => (text.includes("\n") ? " laid-out" : "");

export function Dialogs() {
  const [, again] = useReducer((n: number) => n + 1, 0);
  useEffect(() => { const l = () => again(undefined as never); listeners.add(l); return () => { listeners.delete(l); }; }, []);
  return (
    <>
      {asked && <Asked key={asked.title} question={asked} />}
      <div class="notes" role="status" aria-live="polite">
        {notes.map((each) => <div key={each.id} class={each.bad ? `note bad${layout(each.text)}` : "note"}>{each.text}</div>)}
      </div>
    </>
  );
}

function Asked({ question }: { question: Question }) {
  const [values, set] = useState<Record<string, string>>(Object.fromEntries((question.fields ?? []).map((field) => [field.name, field.value])));
  const [error, fail] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  const close = () => { asked = null; changed(); };
  const submit = async (event: Event) => {
    event.preventDefault();
    setBusy(true);
    try {
      const lines = await question.run(values);
      if (lines?.length) note(lines.join("\n"));
      close();
    } catch (problem) {
      fail(problem instanceof Error ? problem.message : String(problem));
      setBusy(false);
    }
    await live.refresh();
  };
  return (
    <Modal title={question.title} onClose={close}>
      <form onSubmit={submit}>
        {question.text && <p class="text">{question.text}</p>}
        {question.fields?.map((field) => (
          <label key={field.name} class="field">
            <span>{field.label}</span>
            {field.choices
              ? <select value={values[field.name]} onInput={(e) => set({ ...values, [field.name]: e.currentTarget.value })}>{field.choices.map((each) => <option key={each}>{each}</option>)}</select>
              : <input name={field.name} value={values[field.name]} autocomplete="off" onInput={(e) => set({ ...values, [field.name]: e.currentTarget.value })} />}
            {field.hint && <small>{field.hint}</small>}
          </label>
        ))}
        {error && <p class={`problem${layout(error)}`} role="alert">{error}</p>}
        <div class="buttons">
          <button type="button" onClick={close}>Cancel</button>
          <button type="submit" class={question.danger ? "danger" : "primary"} disabled={busy} autofocus={!question.fields?.length}>{busy ? "…" : question.action}</button>
        </div>
      </form>
    </Modal>
  );
}

export function Modal({ title, onClose, children }: { title: string; onClose: () => void; children: ComponentChildren }) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    dialog.current?.showModal();
    dialog.current?.querySelector<HTMLElement>("input, select")?.focus();
  }, []);
  return (
    <dialog ref={dialog} aria-label={title} onClose={onClose} onClick={(event) => { if (event.target === dialog.current) onClose(); }}>
      <div class="dialog"><h2>{title}</h2>{children}</div>
    </dialog>
  );
}
