#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""usage: routes.py FACTS.json

Called by t_routes. Holds docs/openapi.yaml against the running server: the same routes with the same roles
and scopes; every route with every kind of credential; every answer with a status and of a schema that the
file has; and nothing of one tenant in what another one is answered. Prints the matrix's numbers last."""
import base64, hashlib, hmac, http.client, json, re, ssl, struct, subprocess, sys, time
import jsonschema, yaml

facts = json.load(open(sys.argv[1]))
spec = yaml.safe_load(open('docs/openapi.yaml'))
failures = []
count = {'requests': 0, 'allowed': 0, 'refused': 0, 'schemas': 0, 'leak checks': 0}
ROLES = ['anybody', 'device', 'viewer', 'operator', 'admin']
SCOPES = ['read', 'media', 'settings', 'enrol', 'admin']
PASSWORD = facts['password']


def fail(text):
    failures.append(text)
    print('FAILED:', text)


def inline(node):
    """The same without $ref: no schema here holds itself."""
    if isinstance(node, dict):
        if '$ref' in node:
            at = spec
            for part in node['$ref'][2:].split('/'):
                at = at[part]
            return inline(at)
        return {k: inline(v) for k, v in node.items()}
    return [inline(v) for v in node] if isinstance(node, list) else node


operations = {}
for path, item in spec['paths'].items():
    for method, op in item.items():
        if method in ('get', 'put', 'post', 'delete'):
            operations[op['operationId']] = dict(inline(op), method=method.upper(), path=path)

# ---- the server's table and the file are the same

served = {}
for line in subprocess.check_output([facts['bin'] + '/sluice-cloud', 'routes'], text=True).splitlines():
    method, path, role, scope, operation = line.split()
    served[operation] = (method, path, role, scope)
for name, op in operations.items():
    said = (op['method'], op['path'], op['x-role'], op.get('x-scope', '-'))
    if op.get('x-served-by') or op.get('x-planned'):
        continue
    if served.get(name) != said:
        fail(f'{name}: docs/openapi.yaml says {said}, the server has {served.get(name)}')
for name in served.keys() - operations.keys():
    fail(f'{name} {served[name]} is not in docs/openapi.yaml')


# ---- requests

def context(cert=None):
    c = ssl.create_default_context(cafile=facts['ca'])
    if cert:
        c.load_cert_chain(cert + '/device.crt', cert + '/device.key')
    return c


contexts = {None: context(), facts['device']: context(facts['device'])}
connections = {}


def ask(method, path, headers=None, body=None, cert=None, stream=False):
    """Status, headers, body."""
    count['requests'] += 1
    data = json.dumps(body) if isinstance(body, (dict, list)) else body
    for again in (True, False):
        key = None if stream else cert
        conn = connections.get(cert) if not stream else None
        if conn is None:
            conn = http.client.HTTPSConnection('127.0.0.1', facts['port'], context=contexts[cert], timeout=60)
        try:
            conn.request(method, path, body=data, headers=headers or {})
            r = conn.getresponse()
            if stream and r.status == 200:
                text = r.fp.readline()
            else:
                text = r.read()
            break
        except (http.client.RemoteDisconnected, ConnectionResetError, BrokenPipeError):
            conn.close()
            connections.pop(cert, None)
            if not again:
                raise
    got = {k.lower(): v for k, v in r.getheaders()}
    if stream or got.get('connection') == 'close':
        conn.close()
        connections.pop(cert, None)
    else:
        connections[cert] = conn
    return r.status, got, text


class Credential:
    def __init__(self, name, tenant=None, role=None, scopes=SCOPES, headers=None, cert=None, user=None,
                 restricted=False):
        self.name, self.tenant, self.role, self.scopes = name, tenant, role, scopes
        self.headers, self.cert, self.user, self.restricted = headers or {}, cert, user, restricted

    def may(self, op):
        """None: the right one; else the status that must come."""
        least, scope = op['x-role'], op.get('x-scope')
        if least == 'anybody':
            return None
        if least == 'device':
            return None if self.cert else 401
        if not self.role:
            return 401
        if ROLES.index(self.role) < ROLES.index(least) or (scope and scope not in self.scopes):
            return 403
        return 403 if self.restricted and scope in ('enrol', 'admin') else None


def bearer(token):
    return {'Authorization': 'Bearer ' + token}


def sign_in(user, tenant):
    status, head, body = ask('POST', '/v1/session', {'Sec-Fetch-Site': 'same-origin'},
                             {'user': user, 'password': PASSWORD, 'tenant': tenant})
    if status != 200:
        sys.exit(f'cannot sign in {user}: {status} {body}')
    cookie = head['set-cookie']
    for word in ('__Host-sluice=', 'Path=/', 'Secure', 'HttpOnly', 'SameSite=Strict'):
        if word not in cookie:
            fail(f'the cookie has no {word}: {cookie}')
    return {'Cookie': cookie.split(';')[0], 'X-CSRF-Token': json.loads(body)['csrf'],
            'Sec-Fetch-Site': 'same-origin'}


A, B = facts['tenants']['a'], facts['tenants']['b']
credentials = [Credential('none'), Credential('nonsense', headers=bearer('NONSENSE')),
               Credential('device', cert=facts['device']),
               Credential('wrong tenant', B['name'], 'admin', headers=bearer(B['tokens']['admin']))]
for role in ('viewer', 'operator', 'admin'):
    credentials.append(Credential(role, A['name'], role, headers=bearer(A['tokens'][role])))
    credentials.append(Credential(f'session of {role}', A['name'], role, user=role,
                                  headers=sign_in(role, A['name'])))
for scope in SCOPES:
    credentials.append(Credential(f'no {scope}', A['name'], 'admin', [s for s in SCOPES if s != scope],
                                  headers=bearer(A['tokens']['no-' + scope])))
credentials.append(Credential('restricted', A['name'], 'operator', headers=bearer(A['tokens']['restricted']),
                              restricted=True))
admin = bearer(A['tokens']['admin'])
viewer = next(c for c in credentials if c.name == 'session of viewer')


# ---- what each route is asked for. A sample: path arguments, query, body, the status that is right, headers

def made(path, body, key='id'):
    """Something to be dropped or changed."""
    status, _, text = ask('POST', path, admin, body)
    if status != 201:
        sys.exit(f'{path}: {status} {text}')
    return json.loads(text)[key]


serial = [0]


def fresh(prefix):
    serial[0] += 1
    return f'{prefix}{serial[0]}'


def totp(secret):
    key, step = base64.b32decode(secret), int(time.time()) // 30
    mac = hmac.new(key, struct.pack('>Q', step), hashlib.sha1).digest()
    at = mac[19] & 15
    return '%06d' % ((struct.unpack('>I', mac[at:at + 4])[0] & 0x7fffffff) % 1000000)


def begin_totp(c):
    status, _, text = ask('POST', '/v1/session/totp', c.headers)
    return totp(json.loads(text)['secret']) if status == 200 else '000000'


def confirm_totp(c):
    _, _, text = ask('PUT', '/v1/session/totp', c.headers, {'code': begin_totp(c)})
    return json.loads(text)['recovery'][0]


def end_totp(c, answer):
    ask('DELETE', '/v1/session/totp', c.headers, {'code': json.loads(answer)['recovery'][0]})


def own(status):
    """Of a route that is about a session: an API token has none."""
    return lambda c: status if c.user else 400


def csr():
    return open(facts['csr']).read()


def enrol_token():
    return made('/v1/tokens', {'device': 'matrix'}, 'token')


def a_user():
    name = fresh('user')
    made('/v1/users', {'name': name, 'role': 'viewer', 'password': PASSWORD}, 'name')
    return name


def visible(t, c):
    """Of a camera, an event of tenant A, for who may see it."""
    return 404 if c.tenant != A['name'] or c.restricted else t


def camera_sample(query=''):
    return lambda c: dict(path=[A['camera']], query=query, status=visible(200, c))


def a_group():
    return {'name': fresh('group'), 'devices': [], 'cameras': []}


def matched(c, at, name, status, body=None, wish=False):
    """A change of what is there, with its version in If-Match."""
    at = at % name if '%' in at else at + name
    if wish:
        _, head, _ = ask('GET', at, admin)
        ask('PUT', at, dict(admin, **({'If-Match': head['etag']} if 'etag' in head else {})), {'settings': {'rate': 6}})
    _, head, _ = ask('GET', at, admin)
    headers = dict(c.headers, **({'If-Match': head['etag']} if 'etag' in head else {}))
    return dict(path=[name], body=body, headers=headers, status=status)


def forget_export(c, answer):
    """When it is made: two are at a time, so that the next one is not told to come again."""
    path = '/v1/exports/' + json.loads(answer)['id']
    while json.loads(ask('GET', path, c.headers)[2])['state'] == 'running':
        time.sleep(0.02)
    ask('DELETE', path, c.headers)


def export_of(c, status=200):
    """One of the asker's own, ready; another's, the wrong tenant's too, is not there."""
    mine = c.tenant == A['name'] and not c.restricted
    while True:
        code, _, text = ask('POST', f'/v1/events/{A["event"]}/exports', c.headers if mine else admin, {'format': 'mp4'})
        if code == 202:
            break
        time.sleep(0.05)
    one = json.loads(text)['id']
    while json.loads(ask('GET', '/v1/exports/' + one, c.headers if mine else admin)[2])['state'] == 'running':
        time.sleep(0.02)
    return dict(path=[one], status=status if mine else 404)


def job():
    """Of a time without events: queued, soon failed."""
    return {'camera': A['camera'], 'kind': 'period', 'from_ns': '1000000000', 'to_ns': '2000000000'}


def job_of(c, status=200):
    code, _, text = ask('POST', '/v1/jobs', admin, job())
    if code != 202:
        sys.exit(f'/v1/jobs: {code} {text}')
    return dict(path=[json.loads(text)['id']], status=visible(status, c))


def frame_of_still():
    ask('GET', f'/v1/cameras/{A["camera"]}/still', admin)
    for _ in range(100):
        _, _, text = ask('GET', '/v1/audit?action=still.read&limit=1', admin)
        lines = json.loads(text)['audit']
        if lines:
            return lines[0]['what'].split('/')[1:]
        time.sleep(0.05)  # the log is written behind the answer
    sys.exit('no still in the audit log')


samples = {
    'enrol': lambda c: dict(body={'token': enrol_token(), 'csr': csr()}, status=200),
    'renew': lambda c: dict(body={'csr': csr()}, status=200),
    'uplink': lambda c: dict(status=426),
    'addToken': lambda c: dict(body={'device': 'matrix'}, status=201),
    'dropToken': lambda c: dict(path=[made('/v1/tokens', {'device': 'matrix'})],
                                status=204 if c.tenant == A['name'] else 404),
    'labelDevice': lambda c: dict(path=[A['device']], body={'label': 'at the door'},
                                  status=204 if c.tenant == A['name'] else 404),
    'revokeDevice': lambda c: dict(path=[A['spare']], status=204 if c.tenant == A['name'] else 404),
    'signIn': lambda c: dict(body={'user': 'viewer', 'password': PASSWORD, 'tenant': A['name']}, status=200,
                             headers={}),
    'signOut': lambda c: dict(status=own(204)(c), headers=sign_in(c.user, c.tenant) if c.user else None),
    'changePassword': lambda c: dict(body={'password': PASSWORD, 'new': PASSWORD}, status=own(204)(c)),
    'beginTotp': lambda c: dict(status=own(200)(c)),
    'confirmTotp': lambda c: dict(body={'code': begin_totp(c) if c.user else '1'}, status=own(200)(c), after=end_totp),
    'endTotp': lambda c: dict(body={'code': confirm_totp(c) if c.user else '1'}, status=own(204)(c)),
    'dropSession': lambda c: dict(
        path=[json.loads(ask('GET', '/v1/sessions', sign_in(c.user or 'viewer', A['name']))[2])['sessions'][0]['id']],
        status=(204 if c.user else 404 if c.tenant != A['name'] else
                204 if c.role == 'admin' and 'admin' in c.scopes else 400)),
    'addUser': lambda c: dict(body={'name': fresh('u'), 'role': 'viewer', 'password': PASSWORD, 'cameras': []},
                              status=201),
    'changeUser': lambda c: dict(path=[a_user()], body={'role': 'operator', 'disabled': True},
                                 status=200 if c.tenant == A['name'] else 404),
    'dropUser': lambda c: dict(path=[a_user()], status=204 if c.tenant == A['name'] else 404),
    'addApiToken': lambda c: dict(body={'name': fresh('t'), 'role': 'viewer', 'scopes': ['read'], 'days': 1},
                                  status=201),
    'dropApiToken': lambda c: dict(path=[made('/v1/apitokens', {'name': fresh('t'), 'role': 'viewer', 'scopes': ['read']})],
                                   status=204 if c.tenant == A['name'] else 404),
    'listAudit': lambda c: dict(query='?limit=7', status=200),
    'getCamera': camera_sample(), 'getStill': camera_sample(), 'getLedger': camera_sample(),
    'askSettings': lambda c: dict(path=[A['camera']], body={'settings': {'rate': 5}}, status=visible(409, c)),
    'getTimeline': lambda c: dict(query='?from=0&to=4000000000000000000&buckets=10', status=200),
    'listEvents': lambda c: dict(query='?limit=3', status=200),
    'listSummaries': lambda c: dict(query='?limit=3', status=200),
    'getEvent': lambda c: dict(path=[A['event']], status=visible(200, c)),
    'getSummaryFile': lambda c: dict(path=[A['event'], 'summary.json'], status=visible(200, c)),
    'getDevice': lambda c: dict(path=[A['device']], status=visible(200, c)),
    'listCommands': lambda c: dict(path=[A['device']], status=visible(200, c)),
    'askCommand': lambda c: dict(path=[A['device']], body={'command': 'describe'}, status=visible(409, c)),
    'getCommand': lambda c: dict(status=404),
    'addGroup': lambda c: dict(body=a_group(), status=201),
    'getGroup': lambda c: dict(path=[made('/v1/groups', a_group(), 'name')], status=200 if c.tenant == A['name'] else 404),
    'putGroup': lambda c: matched(c, '/v1/groups/', made('/v1/groups', a_group(), 'name'),
                                  412 if c.tenant != A['name'] else 200,
                                  {'settings': {'rate': 4}}),
    'deleteGroup': lambda c: matched(c, '/v1/groups/', made('/v1/groups', a_group(), 'name'),
                                     404 if c.tenant != A['name'] else 204),
    'getDesired': camera_sample(),
    'putDesired': lambda c: matched(c, '/v1/cameras/%s/desired', A['camera'], visible(200, c), {'settings': {'rate': 5}}),
    'getZones': camera_sample(),
    'putZones': lambda c: matched(c, '/v1/cameras/%s/zones', A['camera'], visible(200, c),
                                  {'zones': [{'name': 'gate', 'points': [[0, 0], [0.5, 0], [0.5, 1]]}]}),
    'getRetune': camera_sample(), 'lookRetune': camera_sample(),
    'putRetune': lambda c: dict(path=[A['camera']], body={'mode': 'propose'}, status=visible(200, c)),
    'applyRetune': lambda c: dict(path=[A['camera']], status=visible(409, c)),
    'rollbackRetune': lambda c: dict(path=[A['camera']], status=visible(409, c)),
    'deleteDesired': lambda c: matched(c, '/v1/cameras/%s/desired', A['camera'], visible(204, c), wish=True),
    'exportEvent': lambda c: dict(path=[A['event']], query='?format=zip', status=visible(200, c)),
    'listJobs': lambda c: dict(query='?state=failed&limit=5', status=200),
    'startJob': lambda c: dict(body=job(), status=visible(202, c)),
    'getJob': lambda c: job_of(c), 'cancelJob': lambda c: job_of(c, 204),
    'addExport': lambda c: dict(path=[A['event']], body={'format': 'zip'}, status=visible(202, c), after=forget_export),
    'getExport': lambda c: export_of(c), 'dropExport': lambda c: export_of(c, 204), 'getExportFile': lambda c: export_of(c),
    'listEventFrames': lambda c: dict(path=[A['event']], status=visible(200, c)),
    'pinEvent': lambda c: dict(path=[A['event']], body={}, status=visible(204, c)),
    'unpinEvent': lambda c: dict(path=[A['event']], status=visible(204, c)),
    'getFrame': lambda c: dict(path=[A['camera']] + frame_of_still(), status=visible(200, c)),
}


def check_body(op, name, who, status, head, body):
    """Documented, and of the shape that is documented."""
    said = op['responses'].get(str(status))
    if said is None:
        fail(f'{name} as {who}: {status} is not in docs/openapi.yaml: {body[:300]}')
        return
    content = said.get('content', {})
    kind = head.get('content-type', '').split(';')[0]
    if not content:
        return
    if kind not in content:
        fail(f'{name} as {who}: {status} of type {kind or "none"}, not one of {list(content)}')
    elif 'json' in kind and 'schema' in content[kind]:
        count['schemas'] += 1
        try:
            jsonschema.Draft202012Validator(content[kind]['schema']).validate(json.loads(body))
        except (jsonschema.ValidationError, ValueError) as e:
            fail(f'{name} as {who}: {status}: {str(e)[:700]}')


def check_leak(name, who, mine, other, head, body):
    count['leak checks'] += 1
    text = body + json.dumps(head).encode()
    for marker in other['markers']:
        if marker.encode() in text:
            fail(f'LEAK: {name} as {who} of tenant {mine["name"]} shows {marker}: {body[:300]}')


for name, op in operations.items():
    if op.get('x-planned'):
        continue
    for c in credentials:
        wrong = c.may(op)
        known = name in samples or '{' not in op['path']
        sample = samples[name](c) if name in samples and not wrong else {'status': 200 if known else None}
        arguments = iter(sample.get('path', []))
        path = re.sub(r'{(\w+)}', lambda m: next(arguments, 'f' * 32), op['path']) + sample.get('query', '')
        headers = sample.get('headers')
        if name == 'uplink' and wrong:
            headers = dict(c.headers, Connection='Upgrade', Upgrade='sluice/1')
        body = sample.get('body', {} if op['method'] in ('POST', 'PUT') else None)
        status, head, text = ask(op['method'], path, c.headers if headers is None else headers, body, c.cert,
                                 name == 'getStream')
        want = wrong or sample['status']
        if want is None and status not in (401, 403) and status < 500:
            want = status  # another's route, without a sample here: some answer that is documented
        if status != want:
            fail(f'{name} ({op["method"]} {path}) as {c.name}: {status}, not {want}: {text[:300]}')
        count['refused' if wrong else 'allowed'] += 1
        check_body(op, name, c.name, status, head, text)
        if status < 300 and sample.get('after'):
            sample['after'](c, text)
        if c.tenant:
            mine, other = (A, B) if c.tenant == A['name'] else (B, A)
            check_leak(name, c.name, mine, other, head, text)

# ---- each tenant's administrator asks for all that the other one has, by its names

for who, mine, other in (('a', A, B), ('b', B, A)):
    for name, op in operations.items():
        if '{' not in op['path'] or op['x-role'] == 'device' or op.get('x-planned'):
            continue
        values = {'camera': other['camera'], 'event': other['event'], 'summary': other['event'],
                  'device': other['device'], 'file': 'summary.json', 'user': other['user'],
                  'apitoken': other['apitoken'], 'session': other['session'], 'token': other['token']}
        path = re.sub(r'{(\w+)}', lambda m: values.get(m[1], 'f' * 32), op['path'])
        bodies = {'changeUser': {'disabled': True}, 'addExport': {'format': 'zip'}, 'startJob': job(), 'labelDevice': {'label': 'mine'},
                  'askSettings': {'settings': {'rate': 1}}}
        status, head, text = ask(op['method'], path, bearer(mine['tokens']['admin']),
                                 bodies.get(name, {} if op['method'] in ('POST', 'PUT') else None))
        if status < 400 or (name in samples and status != 404):
            fail(f'{name} {path} of the other tenant: {status}, not 404: {text[:300]}')
        text = b'' if status >= 400 else text
        check_leak(name, 'other admin', mine, other, {}, text)
for key in ('camera', 'name'):
    for path in ('/v1/events?camera=', '/v1/summaries?camera=', '/v1/timeline?from=0&to=9000000000000000000&camera='):
        status, head, text = ask('GET', path + (B['camera'] if key == 'camera' else B['camera_name']), admin)
        check_leak(path, 'admin', A, B, {}, text.replace(B['camera'].encode(), b'') if status >= 400 else text)
        if b'"id"' in text:
            fail(f'{path}: something is found in the other tenant: {text[:300]}')

# ---- what no credential helps with: requests that another site has a browser make

for label, change in (('no token', {'X-CSRF-Token': None}), ('a wrong token', {'X-CSRF-Token': '0' * 32}),
                      ('cross-site', {'Sec-Fetch-Site': 'cross-site'}),
                      ('another origin', {'Origin': 'https://evil.example'})):
    headers = {k: v for k, v in dict(viewer.headers, **change).items() if v}
    for method, path in (('DELETE', '/v1/session'), ('POST', '/v1/session/totp'), ('PUT', '/v1/session/password')):
        status, _, text = ask(method, path, headers, {})
        if status != 403:
            fail(f'{method} {path} with {label}: {status}, not 403: {text[:200]}')
    if label in ('cross-site', 'another origin'):
        status, _, text = ask('POST', '/v1/session', headers,
                              {'user': 'viewer', 'password': PASSWORD, 'tenant': A['name']})
        if status != 403:
            fail(f'sign-in with {label}: {status}, not 403')

# ---- media: whole, in part, not at all; HEAD is GET without the body

path = f'/v1/summaries/{A["event"]}/{A["picture"]}'
status, head, whole = ask('GET', path, admin)
etag = head.get('etag', '')
if etag != '"%s"' % hashlib.sha256(whole).hexdigest() or head.get('accept-ranges') != 'bytes' or \
        not head.get('cache-control', '').startswith('private'):
    fail(f'{path}: {head}')
n = len(whole)
for headers, want, part in (
        ({'Range': 'bytes=0-9'}, 206, whole[:10]), ({'Range': 'bytes=-5'}, 206, whole[-5:]),
        ({'Range': f'bytes={n - 3}-'}, 206, whole[-3:]), ({'Range': f'bytes=7-{n + 100}'}, 206, whole[7:]),
        ({'Range': f'bytes={n}-'}, 416, None), ({'Range': 'bytes=0-1,3-4'}, 200, whole),
        ({'Range': 'lines=1-2'}, 200, whole), ({'Range': 'bytes=5-3'}, 200, whole),
        ({'Range': 'bytes=0-9', 'If-Range': etag}, 206, whole[:10]),
        ({'Range': 'bytes=0-9', 'If-Range': '"other"'}, 200, whole),
        ({'If-None-Match': etag}, 304, b''), ({'If-None-Match': '"x", W/' + etag}, 304, b''),
        ({'If-None-Match': '*'}, 304, b''), ({'If-None-Match': '"x"'}, 200, whole)):
    status, head, body = ask('GET', path, dict(admin, **headers))
    if status != want or (part is not None and body != part):
        fail(f'{path} with {headers}: {status} and {len(body)} bytes, not {want}')
    if status == 206 and head.get('content-range', '').split('/')[1] != str(n):
        fail(f'{path} with {headers}: Content-Range {head.get("content-range")}')
for path in (path, '/healthz', '/v1/cameras', f'/v1/cameras/{A["camera"]}/still'):
    _, get, body = ask('GET', path, admin)
    status, head, empty = ask('HEAD', path, admin)
    if status != 200 or empty or head.get('etag') != get.get('etag') or \
            (path != '/v1/cameras' and head.get('content-length') != str(len(body))):
        fail(f'HEAD {path}: {status} {head}, {len(empty)} bytes')

# ---- pages: each row once, in order, and a cursor that is made up is refused

seen, cursor = [], ''
for _ in range(100):
    status, _, text = ask('GET', '/v1/audit?limit=5' + cursor, admin)
    page = json.loads(text)
    seen += [line['id'] for line in page['audit']]
    if not page['next']:
        break
    cursor = '&cursor=' + page['next']
if seen != sorted(set(seen), reverse=True) or len(seen) < 20:
    fail(f'pages of the audit log: {seen[:20]}...')
for query in ('/v1/audit?cursor=x', '/v1/audit?cursor=-1', '/v1/events?cursor=x', '/v1/events?cursor=' + 'a' * 200,
              '/v1/events?region=1,2,3', '/v1/events?region=0,0,0,0', '/v1/events?from=-1', '/v1/events?limit=0',
              '/v1/events?pinned=maybe', '/v1/timeline?from=5&to=5', '/v1/timeline?from=1'):
    status, _, text = ask('GET', query, admin)
    if status != 400:
        fail(f'{query}: {status}, not 400: {text[:200]}')

# ---- what was done is in the log, and no secret is

status, _, text = ask('GET', '/v1/audit?limit=1000', admin)
actions = {line['action'] for line in json.loads(text)['audit']}
for action in ('enrol', 'renew', 'revoke', 'token.add', 'token.drop', 'session.add', 'session.drop', 'user.add',
               'user.change', 'user.drop', 'apitoken.add', 'apitoken.drop', 'totp.on', 'media.read', 'still.read',
               'settings.ask', 'device.label'):
    if action not in actions:
        fail(f'no {action} in the audit log: {sorted(actions)}')
for secret in [PASSWORD] + list(A['tokens'].values()) + [viewer.headers['Cookie'].split('=', 1)[1]]:
    if secret in text.decode():
        fail('a secret is in the audit log')

print('matrix: %d operations x %d credentials; ' % (len(operations), len(credentials)) +
      ', '.join(f'{v} {k}' for k, v in count.items()) + f'; {len(failures)} failures')
sys.exit(1 if failures else 0)
