// SPDX-License-Identifier: MIT
/*
 * Elements. Text is always set as text: nothing here or elsewhere parses markup, so that a camera
 * named <img onerror=…> is a camera with an odd name.
 */
const SVG = 'http://www.w3.org/2000/svg';

function apply(node, name, value) {
	if (value === undefined || value === null || value === false)
		return;
	if (name === 'class')
		node.setAttribute('class', value);
	else if (name === 'text')
		node.textContent = value;
	else if (name === 'on')
		for (const [event, handler] of Object.entries(value))
			node.addEventListener(event, handler);
	else if (name === 'style') // by the object model: an attribute is what the CSP forbids
		for (const [property, v] of Object.entries(value))
			node.style.setProperty(property, v);
	else if (name === 'value' || name === 'checked' || name === 'muted')
		node[name] = value;
	else
		node.setAttribute(name, value === true ? '' : value);
}

function add(node, children) {
	for (const child of children.flat(Infinity))
		if (child !== undefined && child !== null && child !== false)
			node.append(child);
	return node;
}

function make(node, props, children) {
	for (const [name, value] of Object.entries(props || {}))
		if (name !== 'value')
			apply(node, name, value);
	add(node, children);
	if (props && props.value !== undefined) // of a select: once its options are there
		apply(node, 'value', props.value);
	return node;
}

export function el(tag, props, ...children) {
	return make(document.createElement(tag), props, children);
}

export function svg(tag, props, ...children) {
	return make(document.createElementNS(SVG, tag), props, children);
}

/* Puts children in the place of everything in node. */
export function fill(node, ...children) {
	node.replaceChildren();
	return add(node, children);
}

let last = 0;
export function unique(prefix) {
	return `${prefix}-${++last}`;
}
