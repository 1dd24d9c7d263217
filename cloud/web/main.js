// SPDX-License-Identifier: MIT
/* Start: who is it? Then the login, or the views. A session that ends leads back to the login, and after it to where one was. */
import { get, on } from './api.js';
import { fill } from './dom.js';
import { language, setLanguage, t } from './i18n.js';
import * as live from './live.js';
import { failure } from './parts.js';
import * as router from './router.js';
import { forget, has, logout, maybe, resume, who } from './session.js';
import { shell } from './shell.js';
import { applyTheme } from './theme.js';
import { accountView } from './view_account.js';
import { auditView } from './view_audit.js';
import { cameraView } from './view_camera.js';
import { camerasView } from './view_cameras.js';
import { deviceView, devicesView } from './view_devices.js';
import { editorView } from './view_editor.js';
import { eventView, summaryView } from './view_event.js';
import { eventsView } from './view_events.js';
import { ledgerView } from './view_ledger.js';
import { loginView } from './view_login.js';
import { peopleView } from './view_people.js';
import { searchView } from './view_search.js';
import { timelineView } from './view_timeline.js';
import { tokensView } from './view_tokens.js';
import { workView } from './view_work.js';

const app = document.getElementById('app');

router.route('/', 'cameras', camerasView);
router.route('/cameras', 'cameras', camerasView);
router.route('/cameras/:id', 'cameras', cameraView);
router.route('/cameras/:id/edit', 'cameras', editorView);
router.route('/timeline', 'timeline', timelineView);
router.route('/events', 'events', eventsView);
router.route('/events/:id', 'events', eventView);
router.route('/summaries/:id', 'events', summaryView);
router.route('/search', 'search', searchView);
router.route('/ledger', 'ledger', ledgerView);
router.route('/work', 'work', workView);
router.route('/devices', 'devices', devicesView);
router.route('/devices/:name', 'devices', deviceView);
router.route('/people', 'people', peopleView);
router.route('/tokens', 'tokens', tokensView);
router.route('/audit', 'audit', auditView);
router.route('/account', 'account', accountView);

function enter() {
	const frame = shell(app, { onLogout: leave, onLanguage: () => {
		setLanguage(language() === 'en' ? 'zh' : 'en');
		router.stop();
		enter();
	} });
	router.start(frame.view, frame.mark);
	if (has('GET /v1/stream'))
		live.start('/v1/stream');
}

function askIn(why) {
	router.stop();
	live.stop();
	forget();
	document.querySelectorAll('dialog').forEach((d) => d.close());
	document.title = `${t('login.title')} · Sluice`;
	loginView(app, why, enter);
}

async function leave() {
	await logout();
	askIn(t('login.bye'));
}

async function begin() {
	applyTheme();
	setLanguage(language());
	if (!maybe()) {
		askIn('');
		return;
	}
	try {
		await resume();
		enter();
	} catch (error) {
		if (error.status === 401)
			askIn('');
		else
			fill(app, failure(error, begin));
	}
}

on('expired', () => {
	if (who())
		askIn(t('login.expired'));
});
on('factor', () => {
	if (who())
		router.go('/account', { factor: 1 });
});
/* A stream that is refused may mean that the session has ended: a request tells. */
live.listen('closed', () => who() && navigator.onLine && get('/v1/session').catch(() => {}));
begin();
