// SPDX-License-Identifier: MIT
/* The tools of a board: what to draw, steps back and forth, corners for who has no Delete key, an end for the pen. */
import { el, fill } from './dom.js';
import { t } from './i18n.js';
import { button, iconButton } from './parts.js';
import { hasRoom, KINDS } from './shapes.js';

export function shapeTools(board, kinds, stage, signal) {
	const draw = el('div', { class: 'row tight' }), hint = el('p', { class: 'small soft', id: 'stage-hint' });
	const press = (b, pressed) => b.setAttribute('aria-pressed', String(pressed));
	const starts = kinds.map((kind) => [kind, button(t(`editor.add_${kind}`), (e) => (stage().pen() && stage().pen().kind === kind ? stage().cancel() : stage().begin(kind, e.detail === 0)),
		{ icon: 'plus', 'aria-pressed': 'false', 'data-kind': kind })]);
	const undo = iconButton(t('stage.undo'), 'undo', back), redo = iconButton(t('stage.redo'), 'redo', () => board.redo());
	const more = button(t('stage.add_corner'), () => { board.splitSide(Math.max(board.corner, 0)); board.step(); stage().focusCorner(); });
	const less = button(t('stage.remove_corner'), () => { board.removeCorner(); stage().focusCorner(); });
	const done = button(t('stage.finish'), () => stage().finish(), { kind: 'primary' }), cancel = button(t('word.cancel'), () => stage().cancel());

	function back() {
		if (stage().pen())
			stage().undoPoint();
		else
			board.undo();
	}

	/* While a pen is down there are other tools than before and after. */
	function show() {
		const pen = stage().pen();
		starts.forEach(([kind, b]) => {
			press(b, Boolean(pen) && pen.kind === kind);
			b.disabled = !hasRoom(board.shapes, kind);
		});
		undo.disabled = pen ? !pen.points.length : !board.canUndo();
		redo.disabled = Boolean(pen) || !board.canRedo();
		more.disabled = !board.canAddCorner();
		less.disabled = !board.canRemoveCorner();
		done.disabled = !pen || !pen.canFinish();
		[more, less].forEach((b) => b.classList.toggle('hidden', Boolean(pen)));
		[done, cancel].forEach((b) => b.classList.toggle('hidden', !pen));
		hint.textContent = pen ? t(KINDS[pen.kind].most === 2 ? 'stage.hint_line' : 'stage.hint_pen') : t('stage.hint');
	}

	document.addEventListener('keydown', (e) => {
		const key = e.key.toLowerCase();
		if (!(e.ctrlKey || e.metaKey) || !['z', 'y'].includes(key) || e.target.closest('input, textarea, select, dialog'))
			return;
		e.preventDefault();
		if (key === 'y' || e.shiftKey)
			board.redo();
		else
			back();
	}, { signal });
	board.listen(show);
	fill(draw, starts.map(([, b]) => b));
	return { top: draw, below: el('div', { class: 'stack tight' }, el('div', { class: 'row tight' }, undo, redo, more, less, done, cancel), hint), show };
}
