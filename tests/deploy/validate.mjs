// SPDX-License-Identifier: MIT
// usage: validate.mjs MODULES FILE.yaml...
// Every document of the files against the schema of its kind, and the names that they use of one
// another: config maps, secrets, ports and labels.
import { createRequire } from 'node:module';
import { readFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';

const [modules, ...files] = process.argv.slice(2);
const require = createRequire(`${modules}/node_modules/`);
const { parseAllDocuments } = require('yaml');
const bad = [];
const docs = [];
let kustomization;

// apps/v1 and its like are directories of the package; v1 alone is the core's.
async function model(doc) {
	const of = `${modules}/node_modules/kubernetes-models/${doc.apiVersion}/index.js`;

	return (await import(pathToFileURL(of)))[doc.kind];
}

for (const file of files)
	for (const parsed of parseAllDocuments(readFileSync(file, 'utf8'), { version: '1.1' })) {
		const doc = parsed.toJS();

		bad.push(...parsed.errors.map((e) => `${file}: ${e.message}`));
		if (doc.kind === 'Kustomization') {
			kustomization = doc;
			continue;
		}
		docs.push({ file, doc });
		try {
			new (await model(doc))(doc).validate();
		} catch (e) {
			bad.push(`${file}: ${doc.kind} ${doc.metadata?.name}: ${e.message}`);
		}
	}

const made = {
	configMap: new Set(kustomization.configMapGenerator.map((g) => g.name)),
	secret: new Set(kustomization.secretGenerator.map((g) => g.name)),
};
const listed = new Set(kustomization.resources);
const pods = docs.filter(({ doc }) => doc.spec?.template).map(({ file, doc }) => ({ file, doc, pod: doc.spec.template }));

for (const { file, doc, pod } of pods) {
	const volumes = new Map(pod.spec.volumes.map((v) => [v.name, v]));

	for (const v of doc.spec.volumeClaimTemplates ?? [])
		volumes.set(v.metadata.name, v);
	for (const v of pod.spec.volumes) {
		if (v.configMap && !made.configMap.has(v.configMap.name))
			bad.push(`${file}: no config map ${v.configMap.name}`);
		if (v.secret && !made.secret.has(v.secret.secretName))
			bad.push(`${file}: no secret ${v.secret.secretName}`);
	}
	for (const c of pod.spec.containers) {
		for (const m of c.volumeMounts)
			if (!volumes.has(m.name))
				bad.push(`${file}: ${c.name} mounts ${m.name}, which is no volume`);
		if (!c.securityContext.readOnlyRootFilesystem || c.securityContext.allowPrivilegeEscalation !== false)
			bad.push(`${file}: ${c.name} may write to its image or gain rights`);
	}
	for (const [k, v] of Object.entries(doc.spec.selector?.matchLabels ?? {}))
		if (pod.metadata.labels[k] !== v)
			bad.push(`${file}: ${doc.metadata.name} selects none of its own pods`);
}
for (const { file, doc } of docs) {
	if (!listed.has(file.split('/').pop()))
		bad.push(`${file} is not among the resources of the kustomization`);
	if (doc.kind === 'Service') {
		const of = pods.filter(({ pod }) => Object.entries(doc.spec.selector).every(([k, v]) => pod.metadata.labels[k] === v));
		const ports = of.flatMap(({ pod }) => pod.spec.containers.flatMap((c) => c.ports ?? []));

		for (const p of doc.spec.ports)
			if (!ports.some((q) => q.name === (p.targetPort ?? p.port) || q.containerPort === (p.targetPort ?? p.port)))
				bad.push(`${file}: service ${doc.metadata.name} leads to no port ${p.targetPort ?? p.port}`);
	}
}
for (const line of bad)
	console.error(line);
console.log(`${docs.length} documents, ${bad.length} complaints`);
process.exit(bad.length ? 1 : 0);
