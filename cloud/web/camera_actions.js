// SPDX-License-Identifier: MIT
/* What can be asked of a camera at once: a picture of now, and a pause of its frames. */
import { command, snapshot } from './commands.js';
import { t } from './i18n.js';
import { button, complain, toast } from './parts.js';
import { can, has } from './session.js';

/* shown(src) with the address of a new picture; again() when it was paused or resumed. Nothing where its device does not allow it. */
export function cameraActions(c, shown, again, signal) {
	if (!can('operator') || !has('POST /v1/devices/{}/commands'))
		return [];
	const run = (b, work) => async () => {
		b().disabled = true;
		try {
			await work();
		} catch (error) {
			complain(error);
		}
		b().disabled = false;
	};
	const may = (word) => !c.allows || c.allows.includes(word), word = c.paused ? 'resume' : 'pause';
	const shot = button(t('camera.snapshot'), run(() => shot, async () => {
		shown(await snapshot(c, signal));
		toast(t('camera.snapshot_done'));
	}), { icon: 'shot' });
	const pause = button(t(`camera.${word}`), run(() => pause, async () => {
		await command(c.device, { command: word, camera: c.name }, signal);
		toast(t(c.paused ? 'camera.resumed' : 'camera.paused'));
		again();
	}), { icon: c.paused ? 'play' : 'pause' });
	return [may('snapshot') ? shot : null, may(word) ? pause : null];
}
