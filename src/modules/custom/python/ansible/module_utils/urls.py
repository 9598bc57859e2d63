"""Requests over HTTP, with Python's urllib."""

import base64
import io
import netrc
import os
import ssl
import urllib.error
import urllib.parse
import urllib.request

from ansible.module_utils.common.text.converters import to_bytes, to_native, to_text


class ConnectionError(Exception):
    pass


class SSLValidationError(ConnectionError):
    pass


class NoSSLError(SSLValidationError):
    pass


class ProxyError(ConnectionError):
    pass


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *args):
        return None


class _Request(urllib.request.Request):
    def __init__(self, url, method=None, **kwargs):
        super().__init__(url, **kwargs)
        self._wanted = (method or "").upper()

    def get_method(self):
        return self._wanted or super().get_method()


def url_argument_spec():
    return dict(
        url=dict(type="str"), force=dict(type="bool", default=False),
        http_agent=dict(type="str", default="ansible-httpget"), use_proxy=dict(type="bool", default=True),
        validate_certs=dict(type="bool", default=True), url_username=dict(type="str"),
        url_password=dict(type="str", no_log=True), force_basic_auth=dict(type="bool", default=False),
        client_cert=dict(type="path"), client_key=dict(type="path"), use_gssapi=dict(type="bool", default=False),
    )


def basic_auth_header(username, password):
    pair = "%s:%s" % (username, password if password is not None else "")
    return b"Basic " + base64.b64encode(to_bytes(pair))


def open_url(url, data=None, headers=None, method=None, use_proxy=True, force=False, last_mod_time=None, timeout=10,
             validate_certs=True, url_username=None, url_password=None, http_agent=None, force_basic_auth=False,
             follow_redirects="urllib2", client_cert=None, client_key=None, cookies=None, use_gssapi=False,
             unix_socket=None, ca_path=None, unredirected_headers=None, decompress=True, ciphers=None,
             use_netrc=True):
    if unix_socket or use_gssapi:
        raise ConnectionError("unix_socket and use_gssapi are not built into runbook's `ansible.module_utils`")
    parts = urllib.parse.urlsplit(url)
    if "@" in parts.netloc:
        account, _, host = parts.netloc.rpartition("@")
        user, _, password = account.partition(":")
        url_username = url_username or urllib.parse.unquote(user)
        url_password = url_password or urllib.parse.unquote(password)
        url = urllib.parse.urlunsplit(parts._replace(netloc=host))
    context = ssl.create_default_context(cafile=ca_path)
    if not validate_certs:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if client_cert:
        context.load_cert_chain(client_cert, client_key)
    if ciphers:
        context.set_ciphers(":".join(ciphers))
    handlers = [urllib.request.HTTPSHandler(context=context)]
    if not use_proxy:
        handlers.append(urllib.request.ProxyHandler({}))
    if cookies is not None:
        handlers.append(urllib.request.HTTPCookieProcessor(cookies))
    if follow_redirects in (False, "no", "none"):
        handlers.append(_NoRedirect())
    send = dict(headers or {})
    send.setdefault("User-agent", http_agent or "ansible-httpget")
    if not url_username and use_netrc and "Authorization" not in send:
        try:
            found = netrc.netrc(os.environ.get("NETRC")).authenticators(parts.hostname or "")
            if found:
                url_username, url_password = found[0], found[2]
        except (OSError, netrc.NetrcParseError):
            pass
    if url_username:
        send["Authorization"] = to_text(basic_auth_header(url_username, url_password))
    if force:
        send["cache-control"] = "no-cache"
    elif last_mod_time:
        send["If-Modified-Since"] = last_mod_time.strftime("%a, %d %b %Y %H:%M:%S GMT")
    request = _Request(url, method, data=to_bytes(data, nonstring="passthru"))
    for name, value in send.items():
        if name in (unredirected_headers or ()):
            request.add_unredirected_header(name, to_native(value))
        else:
            request.add_header(name, to_native(value))
    return urllib.request.build_opener(*handlers).open(request, None, timeout)


def fetch_url(module, url, data=None, headers=None, method=None, use_proxy=None, force=False, last_mod_time=None,
              timeout=10, use_gssapi=False, unix_socket=None, ca_path=None, cookies=None, unredirected_headers=None,
              decompress=True, ciphers=None, use_netrc=True):
    """A response and what is known of it; failures are in the status."""
    own = module.params
    info = {"url": url, "status": -1}
    response = None
    try:
        response = open_url(
            url, data=data, headers=headers, method=method,
            use_proxy=own.get("use_proxy", True) if use_proxy is None else use_proxy, force=force,
            last_mod_time=last_mod_time, timeout=timeout, validate_certs=own.get("validate_certs", True),
            url_username=own.get("url_username") or "", url_password=own.get("url_password") or "",
            http_agent=own.get("http_agent") or "ansible-httpget",
            force_basic_auth=own.get("force_basic_auth") or False,
            follow_redirects=own.get("follow_redirects", "urllib2"), client_cert=own.get("client_cert"),
            client_key=own.get("client_key"), cookies=cookies, use_gssapi=use_gssapi, unix_socket=unix_socket,
            ca_path=ca_path, unredirected_headers=unredirected_headers, ciphers=ciphers, use_netrc=use_netrc)
        info.update((name.lower(), value) for name, value in response.headers.items())
        info.update(msg="OK (%s bytes)" % response.headers.get("Content-Length", "unknown"), url=response.geturl(),
                    status=response.code)
    except urllib.error.HTTPError as error:
        info.update((name.lower(), value) for name, value in error.headers.items())
        info.update(msg=to_native(error), body=error.read(), status=error.code)
        response = error
    except urllib.error.URLError as error:
        info.update(msg="Request failed: %s" % to_native(error), status=int(getattr(error, "code", None) or -1))
    except (OSError, ConnectionError, ValueError) as error:
        info.update(msg="Connection failure: %s" % to_native(error), status=-1)
    except Exception as error:
        info.update(msg="An unknown error occurred: %s" % to_native(error), status=-1)
    return response, info


def fetch_file(module, url, data=None, headers=None, method=None, use_proxy=True, force=False, last_mod_time=None,
               timeout=10, unredirected_headers=None, decompress=True, ciphers=None):
    import shutil
    import tempfile
    name = os.path.basename(urllib.parse.urlsplit(url).path)
    stem, ending = os.path.splitext(name)
    target = tempfile.NamedTemporaryFile(dir=module.tmpdir, prefix=stem, suffix=ending, delete=False)
    module.add_cleanup_file(target.name)
    response, info = fetch_url(module, url, data, headers, method, use_proxy, force, last_mod_time, timeout,
                               unredirected_headers=unredirected_headers, decompress=decompress, ciphers=ciphers)
    if info["status"] != 200 or response is None:
        module.fail_json(msg="Failure downloading %s, %s" % (url, info["msg"]))
    with target:
        shutil.copyfileobj(response, target)
    return target.name
