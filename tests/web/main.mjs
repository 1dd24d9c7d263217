// SPDX-License-Identifier: MIT
/* All flows, in order; exit code 1 if one has failed. Called by tests/pipeline/t_web. */
import { account } from './flow_account.mjs';
import { commands, enrolment, groups, people } from './flow_devices.mjs';
import { editor, places } from './flow_editor.mjs';
import { event, markup, paging, search } from './flow_events.mjs';
import { expiry, factor, restart, wrongPassword } from './flow_session.mjs';
import { ledger, timeline } from './flow_time.mjs';
import { views } from './flow_views.mjs';
import { work } from './flow_work.mjs';
import { base, env, newPage, open, run, signIn } from './rig.mjs';

const browser = await open();
const only = new RegExp(env.WEB_ONLY || '.'), camera = 'door';
let cloud = null, failed = 0;
try {
	const first = await newPage(browser);
	await signIn(first);
	const state = await first.context().storageState();
	await first.context().close();
	failed = await run(browser, [['a wrong password', wrongPassword], ['paging', paging(state)], ['an event', event(state, camera)], ['search', search(state, camera)], ['exports', work(state, camera)],
		['timeline', timeline(state, camera)], ['ledger', ledger(state, camera)], ['zones and settings', editor(state, 'gate')], ['named zones', places(state, 'gate')], ['commands', commands(state, 'gate')], ['groups', groups(state, 'gate')], ['account', account(state)], ['enrolment', enrolment(state)], ['people', people(state)], ['markup', markup(state)],
		['views', views(state, { camera, base })], ['expiry', expiry], ['restart', async (b) => { cloud = await restart(b); }],
		['a factor that is asked for', async (b) => { cloud = await factor(b, cloud); }]].filter(([name]) => only.test(name)));
} finally {
	await browser.close();
	if (cloud)
		cloud.kill('SIGTERM');
}
process.exit(failed ? 1 : 0);
