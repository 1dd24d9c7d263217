#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""usage: make_model.py yolo|yolo_turned|ssd OUT.onnx

Writes a tiny model that finds red and green squares in a picture of 64x64 pixels, byte by byte as
protobuf: no package is needed. The mean colour of each of 8x8 cells (AveragePool), red less green
and green less red (Conv), cut to 0..1 (Clip) are the scores of 64 boxes of 20x20 pixels around the
cells' centres.

yolo         float [1,3,64,64], 0..1 -> [1, 4 + 2, 64]: centre, size, scores
yolo_turned  the same -> [1, 64, 4 + 2]
ssd          uint8 [1,64,64,3] -> boxes [1,64,4] (y0 x0 y1 x1, shares), classes [1,64] (int64, the
             first is 1), scores [1,64], in this order
"""
import struct
import sys

FLOAT, UINT8, INT64 = 1, 2, 7
CELLS, CELL, BOX = 8, 8, 20


def number(n):
    """A varint; n is not negative."""
    out = b''
    while n > 127:
        out += bytes([n & 127 | 128])
        n >>= 7
    return out + bytes([n])


def field(at, value):
    """Field number at: an integer, a float, a text, or bytes (a message)."""
    if isinstance(value, int):
        return number(at << 3) + number(value)
    if isinstance(value, float):
        return number(at << 3 | 5) + struct.pack('<f', value)
    value = value.encode() if isinstance(value, str) else value
    return number(at << 3 | 2) + number(len(value)) + value


def attribute(name, value):
    """AttributeProto: an integer, or a list of them."""
    if isinstance(value, list):
        return field(1, name) + b''.join(field(8, v) for v in value) + field(20, 7)
    return field(1, name) + field(3, value) + field(20, 2)


def node(op, inputs, outputs, **attributes):
    """NodeProto."""
    return (b''.join(field(1, i) for i in inputs) + b''.join(field(2, o) for o in outputs) + field(4, op) +
            b''.join(field(5, attribute(k, v)) for k, v in attributes.items()))


def tensor(name, shape, values, kind=FLOAT):
    """TensorProto with raw data."""
    raw = b''.join(struct.pack('<f' if kind == FLOAT else '<q', v) for v in values)
    return b''.join(field(1, s) for s in shape) + field(2, kind) + field(8, name) + field(9, raw)


def value(name, kind, shape):
    """ValueInfoProto."""
    sides = b''.join(field(1, field(1, s)) for s in shape)
    return field(1, name) + field(2, field(1, field(1, kind) + field(2, sides)))


def model(nodes, tensors, inputs, outputs):
    """ModelProto of IR 8, operators of set 13."""
    graph = (b''.join(field(1, n) for n in nodes) + field(2, 'squares') + b''.join(field(5, t) for t in tensors) +
             b''.join(field(11, i) for i in inputs) + b''.join(field(12, o) for o in outputs))
    return field(1, 8) + field(2, 'sluice tests') + field(7, graph) + field(8, field(1, '') + field(2, 13))


def centres():
    return [(x * CELL + CELL / 2, y * CELL + CELL / 2) for y in range(CELLS) for x in range(CELLS)]


def scores(source):
    """Nodes from [1,3,64,64] of 0..1 to "scores" [1,2,64], and their tensors."""
    return ([node('AveragePool', [source], ['mean'], kernel_shape=[CELL, CELL], strides=[CELL, CELL]),
             node('Conv', ['mean', 'weight'], ['diff'], kernel_shape=[1, 1]),
             node('Clip', ['diff', 'zero', 'one'], ['cut']),
             node('Reshape', ['cut', 'flat'], ['scores'])],
            [tensor('weight', [2, 3, 1, 1], [1., -1., 0., -1., 1., 0.]),
             tensor('zero', [], [0.]), tensor('one', [], [1.]),
             tensor('flat', [3], [1, 2, CELLS * CELLS], INT64)])


def yolo(turned):
    nodes, tensors = scores('images')
    at = centres()
    rows = [c[0] for c in at] + [c[1] for c in at] + [float(BOX)] * (2 * len(at))
    tensors.append(tensor('boxes', [1, 4, len(at)], rows))
    nodes.append(node('Concat', ['boxes', 'scores'], ['all' if turned else 'output0'], axis=1))
    if turned:
        nodes.append(node('Transpose', ['all'], ['output0'], perm=[0, 2, 1]))
    shape = [1, len(at), 6] if turned else [1, 6, len(at)]
    return model(nodes, tensors, [value('images', FLOAT, [1, 3, 64, 64])], [value('output0', FLOAT, shape)])


def ssd():
    nodes, tensors = scores('shares')
    at = centres()
    corners = [v / 64 for x, y in at for v in (y - BOX / 2, x - BOX / 2, y + BOX / 2, x + BOX / 2)]
    before = [node('Cast', ['image'], ['floats'], to=FLOAT),
              node('Div', ['floats', 'full'], ['small']),
              node('Transpose', ['small'], ['shares'], perm=[0, 3, 1, 2])]
    after = [node('Identity', ['corners'], ['detection_boxes']),
             node('ReduceMax', ['scores'], ['detection_scores'], axes=[1], keepdims=0),
             node('ArgMax', ['scores'], ['first'], axis=1, keepdims=0),
             node('Add', ['first', 'step'], ['detection_classes'])]
    tensors += [tensor('full', [], [255.]), tensor('step', [], [1], INT64), tensor('corners', [1, len(at), 4], corners)]
    return model(before + nodes + after, tensors, [value('image', UINT8, [1, 64, 64, 3])],
                 [value('detection_boxes', FLOAT, [1, len(at), 4]), value('detection_classes', INT64, [1, len(at)]),
                  value('detection_scores', FLOAT, [1, len(at)])])


def main():
    made = {'yolo': lambda: yolo(False), 'yolo_turned': lambda: yolo(True), 'ssd': ssd}
    if len(sys.argv) != 3 or sys.argv[1] not in made:
        sys.exit(__doc__)
    with open(sys.argv[2], 'wb') as out:
        out.write(made[sys.argv[1]]())


if __name__ == '__main__':
    main()
