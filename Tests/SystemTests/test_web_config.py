"""The metrics server's TLS, passwords and tokens, by clients that nobody here wrote."""

import base64
import ctypes
import socket
import ssl
import subprocess
import time
import urllib.error
import urllib.request

from lab import LabTestCase, wait_for
from weir import Weir, configuration, samples, series


def bcrypt(password):
    library = ctypes.CDLL("libcrypt.so.1")
    library.crypt.restype = ctypes.c_char_p
    return library.crypt(password.encode(), b"$2b$04$abcdefghijklmnopqrstuu").decode()


class WebConfiguration(LabTestCase):
    def setUp(self):
        super().setUp()
        self.web = self.folder / "web.yml"

    def weir(self):
        settings = configuration(self.folder)
        settings["telemetry"]["metrics"]["web_config"] = str(self.web)
        # Its own readiness check has no password: the log tells when it listens.
        weir = Weir.__new__(Weir)
        weir.test, weir.settings, weir.namespace, weir.environment = self, settings, None, {}
        weir.folder, weir.starts = self.folder, 0
        weir.file = self.folder / "weir.yaml"
        weir.is_ready = lambda: "listening" in weir.daemon.stderr.read_text()
        import json
        weir.file.write_text(json.dumps(settings))
        weir.start()
        self.port = settings["telemetry"]["metrics"]["port"]
        return weir

    def certificates(self):
        """An authority, a server's and a client's certificate, by OpenSSL."""
        def openssl(*words):
            self.run_command("openssl", *words)
        new = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
        openssl("req", "-x509", *new, "-keyout", self.folder / "ca.key", "-out",
                self.folder / "ca.pem", "-subj", "/CN=test authority", "-days", "2")
        for name, use in (("server", "serverAuth"), ("client", "clientAuth")):
            openssl("req", *new, "-keyout", self.folder / f"{name}.key", "-out",
                    self.folder / f"{name}.csr", "-subj", f"/CN={name}")
            extensions = self.folder / f"{name}.ext"
            san = "IP:127.0.0.1" if name == "server" else "DNS:prometheus.lab"
            extensions.write_text(f"subjectAltName={san}\nextendedKeyUsage={use}\n")
            openssl("x509", "-req", "-in", self.folder / f"{name}.csr", "-CA",
                    self.folder / "ca.pem", "-CAkey", self.folder / "ca.key", "-CAcreateserial",
                    "-out", self.folder / f"{name}.pem", "-days", "2", "-extfile", extensions)
            (self.folder / f"{name}.key").chmod(0o600)

    def status(self, path="/metrics", scheme="http", context=None, **headers):
        """The status of an answer; None if there is none."""
        request = urllib.request.Request(
            f"{scheme}://127.0.0.1:{self.port}{path}", headers=headers)
        handlers = [urllib.request.ProxyHandler({})]
        if context:
            handlers.append(urllib.request.HTTPSHandler(context=context))
        try:
            with urllib.request.build_opener(*handlers).open(request, timeout=5) as answer:
                return answer.status
        except urllib.error.HTTPError as error:
            return error.code
        except OSError:
            return None

    def context(self, client=None, version=None):
        context = ssl.create_default_context(cafile=str(self.folder / "ca.pem"))
        if client:
            context.load_cert_chain(self.folder / f"{client}.pem", self.folder / f"{client}.key")
        if version:
            context.maximum_version = version
        return context

    def test_passwords_and_tokens(self):
        token = self.folder / "token"
        token.touch(mode=0o600)
        token.write_text("s3cret\n")
        self.web.write_text(
            f"basic_auth_users: {{prometheus: '{bcrypt('swordfish')}'}}\n"
            "bearer_token_files: [token]\n")
        weir = self.weir()

        def basic(pair):
            return "Basic " + base64.b64encode(pair.encode()).decode()
        for path in ("/", "/metrics", "/healthz", "/live", "/page.js", "/nothing"):
            self.assertEqual(self.status(path), 401, path)
        self.assertEqual(self.status(Authorization=basic("prometheus:swordfish")), 200)
        self.assertEqual(self.status(Authorization=basic("prometheus:swordfish2")), 401)
        self.assertEqual(self.status(Authorization="Bearer s3cret"), 200)
        self.assertEqual(self.status(Authorization="Bearer s3cre"), 401)
        # A changed token holds at once, a wrong file changes nothing.
        token.write_text("another\n")
        wait_for("the new token", lambda: self.status(Authorization="Bearer another") == 200)
        self.assertEqual(self.status(Authorization="Bearer s3cret"), 401)
        self.web.write_text("basic_auth_user: {}\n")
        wait_for("a word in the log", lambda: "is wrong" in weir.daemon.stderr.read_text())
        self.assertEqual(self.status(Authorization="Bearer another"), 200)
        weir.stop()
        self.assertNotIn("swordfish", weir.daemon.stderr.read_text())

    def test_tls_and_client_certificates(self):
        self.certificates()
        tls = "tls_server_config: {cert_file: server.pem, key_file: server.key%s}\n"
        self.web.write_text(tls % "")
        weir = self.weir()
        self.assertIsNone(self.status())
        self.assertEqual(self.status(scheme="https", context=self.context()), 200)
        self.assertEqual(self.status(
            "/", "https", self.context(version=ssl.TLSVersion.TLSv1_2)), 200)

        demand = ", client_auth_type: RequireAndVerifyClientCert, client_ca_file: ca.pem"
        self.web.write_text(tls % (demand + ", min_version: TLS13"))
        wait_for("client certificates to be asked for", lambda: self.status(
            scheme="https", context=self.context()) == 403)
        self.assertEqual(self.status(scheme="https", context=self.context("client")), 200)
        # A server's certificate is not one for clients.
        self.assertEqual(self.status(scheme="https", context=self.context("server")), 403)
        self.assertIsNone(self.status(
            "/", "https", self.context("client", ssl.TLSVersion.TLSv1_2)))

        self.web.write_text(tls % (demand + ", client_allowed_sans: [other.lab]"))
        wait_for("names to be looked at", lambda: self.status(
            scheme="https", context=self.context("client")) == 403)
        self.web.write_text(tls % (demand + ", client_allowed_sans: [prometheus.lab]"))
        wait_for("the name to be right", lambda: self.status(
            scheme="https", context=self.context("client")) == 200)
        weir.stop()

    def expiries(self):
        """When certificates expire, by role, as the metrics have it."""
        request = f"https://127.0.0.1:{self.port}/metrics"
        handlers = (urllib.request.ProxyHandler({}),
                    urllib.request.HTTPSHandler(context=self.context("client")))
        try:
            with urllib.request.build_opener(*handlers).open(request, timeout=5) as answer:
                text = answer.read().decode()
        except OSError:
            return None
        name = "weir_certificate_expiry_timestamp_seconds"
        return {role: value for role in ("metrics_server", "metrics_client_ca")
                if (value := samples(text).get(series(name, role=role))) is not None}

    def not_after(self, name):
        """What OpenSSL says when a certificate expires."""
        done = self.run_command("openssl", "x509", "-in", self.folder / name, "-noout", "-enddate")
        return ssl.cert_time_to_seconds(done.stdout.strip().removeprefix("notAfter="))

    def test_expiries_are_told_and_follow_the_files(self):
        self.certificates()
        tls = "tls_server_config: {cert_file: server.pem, key_file: server.key%s}\n"
        self.web.write_text(tls % "")
        weir = self.weir()
        self.assertEqual(self.expiries(), {"metrics_server": self.not_after("server.pem")})
        demand = ", client_auth_type: RequireAndVerifyClientCert, client_ca_file: ca.pem"
        self.web.write_text(tls % demand)
        both = {"metrics_server": self.not_after("server.pem"),
                "metrics_client_ca": self.not_after("ca.pem")}
        wait_for("the authority", lambda: self.expiries() == both, 30)
        # The same key, certified for longer.
        new = self.folder / "new.pem"
        self.run_command(
            "openssl", "x509", "-req", "-in", self.folder / "server.csr", "-CA",
            self.folder / "ca.pem", "-CAkey", self.folder / "ca.key", "-CAcreateserial", "-out",
            new, "-days", "400", "-extfile", self.folder / "server.ext")
        later = self.not_after("new.pem")
        self.assertGreater(later, both["metrics_server"])
        new.rename(self.folder / "server.pem")
        wait_for("the new certificate",
                 lambda: (self.expiries() or {}).get("metrics_server") == later, 30)
        weir.stop()

    def handshake(self, *words):
        """What `openssl s_client` tells of a connection; None if there was none."""
        done = subprocess.run(
            ["openssl", "s_client", "-connect", f"127.0.0.1:{self.port}", "-CAfile",
             str(self.folder / "ca.pem"), *words], stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=30)
        return None if "Cipher is (NONE)" in done.stdout else done.stdout

    def test_suites_curves_and_certificates_within_the_file(self):
        self.certificates()

        def block(key, name):
            lines = (self.folder / name).read_text().splitlines()
            return f"  {key}: |\n" + "".join(f"    {line}\n" for line in lines)
        inline = "tls_server_config:\n" + block("cert", "server.pem") + block("key", "server.key")
        self.web.touch(mode=0o600)
        self.web.write_text(
            inline + "  cipher_suites: [TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,\n"
            "    TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256]\n  curve_preferences: [CurveP384]\n")
        weir = self.weir()
        found = self.handshake("-tls1_2")
        self.assertIn("ECDHE-ECDSA-AES256-GCM-SHA384", found)
        self.assertRegex(found, "Server Temp Key:.*(P-384|secp384r1)")
        self.assertIn("TLS_AES_256_GCM_SHA384", self.handshake("-tls1_3"))
        # The other suite is for a key of another kind, and must not let its cipher in.
        self.assertIsNone(self.handshake("-tls1_2", "-cipher", "ECDHE-ECDSA-AES128-GCM-SHA256"))
        self.assertIsNone(self.handshake("-tls1_3", "-ciphersuites", "TLS_AES_128_GCM_SHA256"))
        self.assertIsNone(self.handshake("-groups", "X25519"))
        self.assertEqual(self.status(scheme="https", context=self.context()), 200)
        self.web.write_text(inline + "  curve_preferences: [X25519]\n")
        wait_for("the other curve", lambda: self.handshake("-groups", "X25519"))
        weir.stop()
        self.assertNotIn("BEGIN", weir.daemon.stderr.read_text())

    def test_rate_limit(self):
        self.web.write_text("rate_limit: {interval: 1h, burst: 3}\n")
        weir = self.weir()
        self.assertEqual(
            [self.status(path) for path in ("/", "/metrics", "/healthz", "/healthz", "/metrics")],
            [200, 200, 200, 429, 429])
        self.web.write_text("rate_limit: {interval: 0s, burst: 3}\n")
        wait_for("the limit to be lifted", lambda: self.status("/healthz") == 200)
        weir.stop()

    def test_mistakes_are_told(self):
        self.certificates()
        settings = configuration(self.folder)
        settings["telemetry"]["metrics"]["web_config"] = str(self.web)
        file = self.folder / "weir.yaml"
        import json
        from weir import binary
        file.write_text(json.dumps(settings))
        for text, words in (
                ("tls_server_config: {cert_file: server.pem}", 'lacks "key_file"'),
                ("tls_server_config: {cert_file: server.pem, key_file: client.key}", "no pair"),
                ("tls_server_config: {cert_file: nowhere.pem, key_file: server.key}", "cannot read"),
                ("basic_auth_users: {a: hunter2}", "a bcrypt hash"),
                ("basic_auth_users: {a: '$2y$31$%s'}" % ("a" * 53), "a bcrypt hash"),
                ("tls_server_config: {cert_file: server.pem, key_file: server.key, "
                 "client_auth_type: RequireAnyClientCert}", "is unknown"),
                ("tls_server_config: {cert_file: server.pem, key_file: server.key, "
                 "cipher_suites: [TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256]}", "no cipher suite"),
                ("rate_limit: {}", "lacks")):
            self.web.write_text(text + "\n")
            done = self.run_command(binary(), "run", "-c", file, status=2)
            self.assertIn(words, done.stderr, text)
            self.assertNotIn("hunter2", done.stderr)

    def test_clients_that_drip_are_hung_up_on(self):
        self.web.write_text("{}\n")
        weir = self.weir()
        drips = [socket.create_connection(("127.0.0.1", self.port), 5) for _ in range(20)]
        started = time.monotonic()
        for drip in drips:
            drip.sendall(b"GET /metrics HTTP/1.1\r\nHost: a\r\nX-Slow: ")

        def all_gone():
            alive = 0
            for drip in drips:
                try:
                    drip.sendall(b"y")
                    alive += 1
                except OSError:
                    pass
            return alive == 0
        wait_for("all that drip to be gone", all_gone, seconds=40, every=2)
        self.assertGreater(time.monotonic() - started, 15)
        self.assertEqual(self.status("/healthz"), 200)
        for drip in drips:
            drip.close()
        weir.stop()
