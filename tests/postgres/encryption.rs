//! TLS: who is trusted, and that nothing is sent to a server that is not.

use std::net::TcpListener;
use std::time::Duration;

use bolt12::payout::Store;
use bolt12::payout::postgres::PostgresOptions;
use rcgen::{BasicConstraints, Certificate, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use testkit::postgres::{ROLE, Server, write};

struct Authority {
    certificate: Certificate,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::new([]).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let certificate = params.self_signed(&key).unwrap();
        Self { certificate, issuer: Issuer::new(params, key) }
    }

    /// A certificate and its key, as PEM.
    fn issue(&self, host: &[&str], name: &str) -> (String, String) {
        let hosts: Vec<String> = host.iter().map(|host| (*host).to_owned()).collect();
        let mut params = CertificateParams::new(hosts).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        let key = KeyPair::generate().unwrap();
        (params.signed_by(&key, &self.issuer).unwrap().pem(), key.serialize_pem())
    }
}

#[test]
fn the_server_is_verified_and_the_client_may_show_a_certificate() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port().to_string();
    let Some(server) = Server::start(&[("listen_addresses", "127.0.0.1"), ("port", &port)]) else { return };
    let address = |host: &str, mode: &str| {
        format!("host={host} port={port} user={ROLE} dbname=postgres sslmode={mode}")
    };
    let options = PostgresOptions::new().wait_for_server(Duration::from_millis(500));
    let open = |options: &PostgresOptions, host: &str, mode: &str| {
        options.open_or_create(&address(host, mode)).map_err(|error| error.to_string())
    };
    let failed = |reason: &str| {
        format!("cannot open the ledger in schema bolt12: error performing TLS handshake: {reason}")
    };

    let (root, stranger) = (Authority::new(), Authority::new());
    let (certificate, key) = root.issue(&["localhost"], "localhost");
    let trusting = options.clone().root_certificates(root.certificate.pem());
    server.set_access("local all all trust\nhostssl all all 127.0.0.1/32 trust\n");
    let error = open(&trusting, "localhost", "require").unwrap_err();
    assert_eq!(error, failed("server does not support TLS"));

    for (name, contents) in [("crt", &certificate), ("key", &key), ("ca", &root.certificate.pem())] {
        let path = server.directory().join(name);
        write(&path, contents);
        std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
        server.set(
            &format!("ssl_{}_file", if name == "crt" { "cert" } else { name }),
            &path.display().to_string(),
        );
    }
    server.set("ssl", "on");
    std::thread::sleep(Duration::from_millis(300));

    let store = open(&trusting, "localhost", "require").unwrap().store;
    assert!(store.totals().is_ok());
    let encrypted = "SELECT 1 FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE application_name = 'bolt12' AND ssl";
    assert_eq!(server.admin().query(encrypted, &[]).unwrap().len(), 1);
    assert!(open(&trusting, "localhost", "prefer").is_ok());

    let other = options.clone().root_certificates(stranger.certificate.pem());
    for mode in ["require", "prefer"] {
        let error = open(&other, "localhost", mode).unwrap_err();
        assert!(error.starts_with(&failed("invalid peer certificate")), "{error}");
        let error = open(&trusting, "127.0.0.1", mode).unwrap_err();
        assert!(
            error.starts_with(&failed("invalid peer certificate: certificate not valid for name")),
            "{error}"
        );
    }

    server.set_access("local all all trust\nhostssl all all 127.0.0.1/32 cert\n");
    let error = open(&trusting, "localhost", "require").unwrap_err();
    assert!(error.contains("connection requires a valid client certificate"), "{error}");
    let (chain, key) = root.issue(&[], ROLE);
    let shown = trusting.client_certificate(chain, key);
    assert!(open(&shown, "localhost", "require").unwrap().store.totals().is_ok());
}
