//! The connection string, TLS, and one connection to the server.

use std::collections::BTreeMap;
use std::error::Error;
use std::format;
use std::string::{String, ToString};
use std::sync::Arc;
use std::time::Duration;
use std::vec::Vec;

use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore};
use tokio::task::AbortHandle;
use tokio_postgres::config::{Host, SslMode, TargetSessionAttrs};
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Client, Config, Row, Statement};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::engine::Engine;
use super::error::OpenError;

/// What an SQL statement takes: a value and its type.
pub(super) type Parameter<'a> = &'a (dyn ToSql + Sync);

/// A statement.
#[derive(Debug)]
pub(super) struct Sql {
    /// Its name where connections keep statements prepared. None for a statement whose best plan depends on the values, such
    /// as a page: planned without them, it may read a whole table.
    pub(super) name: Option<&'static str>,
    pub(super) text: String,
    pub(super) types: &'static [Type],
}

/// The certificates and keys of the connections, as text in the PEM form.
#[derive(Clone, Default)]
pub(super) struct Pem {
    /// The authorities that sign the certificates of servers; None for those that the operating system trusts.
    pub(super) roots: Option<Vec<u8>>,
    /// The certificate that this program shows, and its key.
    pub(super) own: Option<(Vec<u8>, Vec<u8>)>,
}

/// How long one host may take to accept a connection, unless the connection string has `connect_timeout`. A host that is
/// silent must not keep a caller from the next one.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

/// Reads a connection string. No error contains any part of it.
pub(super) fn read(connection: &str) -> Result<Config, OpenError> {
    let error = |reason: &str| OpenError::ConnectionString { reason: reason.to_string() };
    let mut config: Config = connection.parse().map_err(|parse: tokio_postgres::Error| {
        // What follows an unknown option or a wrong character may be a part of the password.
        let reason = parse.source().map(ToString::to_string).unwrap_or_default();
        error(if reason.starts_with("invalid value for option") { &reason } else { "cannot be read" })
    })?;
    // A password with an unescaped `@` is read as a part of the host, and hosts are in the errors of the resolver.
    let is_odd = |host: &Host| matches!(host, Host::Tcp(name) if name.is_empty() || name.contains('@'));
    if config.get_hosts().iter().any(is_odd) {
        return Err(error("a host is empty or contains @ (in a password it is written %40)"));
    }
    if config.get_hosts().is_empty() && config.get_hostaddrs().is_empty() {
        return Err(error("no host"));
    }
    let (names, addresses) = (config.get_hosts().len(), config.get_hostaddrs().len());
    if names > 0 && addresses > 0 && names != addresses {
        return Err(error("as many values of hostaddr as of host are needed"));
    }
    if config.get_ports().len() > 1 && config.get_ports().len() != names.max(addresses) {
        return Err(error("one port for all hosts is needed, or one for each"));
    }
    if config.get_application_name().is_none() {
        config.application_name("bolt12");
    }
    if config.get_connect_timeout().is_none() {
        config.connect_timeout(CONNECT_TIMEOUT);
    }
    // Of several hosts, the one that accepts writes: a standby does not.
    config.target_session_attrs(TargetSessionAttrs::ReadWrite);
    Ok(config)
}

/// The same settings for each host alone, in their order.
pub(super) fn each_host(config: &Config) -> Vec<Config> {
    let (hosts, addresses) = (config.get_hosts(), config.get_hostaddrs());
    (0..hosts.len().max(addresses.len()))
        .map(|index| {
            let mut one = Config::new();
            match hosts.get(index) {
                Some(Host::Tcp(name)) => {
                    one.host(name);
                }
                #[cfg(unix)]
                Some(Host::Unix(path)) => {
                    one.host_path(path);
                }
                None => {}
            }
            if let Some(address) = addresses.get(index) {
                one.hostaddr(*address);
            }
            if let Some(port) = config.get_ports().get(index).or(config.get_ports().first()) {
                one.port(*port);
            }
            if let Some(user) = config.get_user() {
                one.user(user);
            }
            if let Some(password) = config.get_password() {
                one.password(password);
            }
            if let Some(name) = config.get_dbname() {
                one.dbname(name);
            }
            if let Some(options) = config.get_options() {
                one.options(options);
            }
            if let Some(name) = config.get_application_name() {
                one.application_name(name);
            }
            if let Some(time) = config.get_connect_timeout() {
                one.connect_timeout(*time);
            }
            if let Some(time) = config.get_tcp_user_timeout() {
                one.tcp_user_timeout(*time);
            }
            if let Some(time) = config.get_keepalives_interval() {
                one.keepalives_interval(time);
            }
            if let Some(retries) = config.get_keepalives_retries() {
                one.keepalives_retries(retries);
            }
            one.ssl_mode(config.get_ssl_mode())
                .ssl_negotiation(config.get_ssl_negotiation())
                .channel_binding(config.get_channel_binding())
                .keepalives(config.get_keepalives())
                .keepalives_idle(config.get_keepalives_idle())
                .target_session_attrs(config.get_target_session_attrs());
            one
        })
        .collect()
}

/// The verification of the server's certificate, and the certificate of this program.
pub(super) fn tls(config: &Config, pem: &Pem) -> Result<MakeRustlsConnect, OpenError> {
    let error = |reason: String| OpenError::Certificates { reason };
    let mut roots = RootCertStore::empty();
    match &pem.roots {
        Some(text) => {
            for certificate in read_certificates(text)? {
                roots.add(certificate).map_err(|reason| error(reason.to_string()))?;
            }
        }
        None if is_without_tls(config) => {}
        None => {
            let _ = roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        }
    }
    if roots.is_empty() && config.get_ssl_mode() == SslMode::Require {
        return Err(error("the operating system has no root certificates and none were given".to_string()));
    }
    let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|reason| error(reason.to_string()))?
        .with_root_certificates(roots);
    let client = match &pem.own {
        None => builder.with_no_client_auth(),
        Some((chain, key)) => {
            // The error of a key says nothing about its contents.
            let key = PrivateKeyDer::from_pem_slice(key)
                .map_err(|_| error("the key cannot be read".to_string()))?;
            let chain = read_certificates(chain)?;
            builder.with_client_auth_cert(chain, key).map_err(|reason| error(reason.to_string()))?
        }
    };
    Ok(MakeRustlsConnect::new(client))
}

fn read_certificates(text: &[u8]) -> Result<Vec<CertificateDer<'static>>, OpenError> {
    let error = |reason: String| OpenError::Certificates { reason };
    let read: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(text).collect();
    let certificates = read.map_err(|reason| error(reason.to_string()))?;
    if certificates.is_empty() {
        return Err(error("no certificate in the PEM text".to_string()));
    }
    Ok(certificates)
}

/// Whether no connection uses TLS, so that no certificates are needed.
fn is_without_tls(config: &Config) -> bool {
    let is_local = |host: &Host| !matches!(host, Host::Tcp(_));
    config.get_ssl_mode() == SslMode::Disable
        || config.get_hostaddrs().is_empty() && config.get_hosts().iter().all(is_local)
}

/// One session on the server.
pub(super) struct Connection {
    client: Client,
    /// Moves the bytes.
    work: AbortHandle,
    /// Whether a statement has been sent whose answer is not complete.
    is_waiting: bool,
    /// The statements that this session keeps prepared, by name; None where none are.
    prepared: Option<BTreeMap<&'static str, Statement>>,
}

impl Connection {
    /// Connects to the host of `config`. `engine` moves the bytes.
    pub(super) async fn open(
        config: &Config,
        tls: MakeRustlsConnect,
        is_prepared: bool,
        engine: &Engine,
    ) -> Result<Self, tokio_postgres::Error> {
        let (client, connection) = config.connect(tls).await?;
        let work = engine.spawn(async move {
            // The calls in progress learn why it ended.
            let _ = connection.await;
        });
        Ok(Self { client, work, is_waiting: false, prepared: is_prepared.then(BTreeMap::new) })
    }

    /// Whether the server, or the network, has ended it.
    pub(super) fn is_closed(&self) -> bool {
        self.client.is_closed()
    }

    /// Runs one statement as one transaction, in one round trip, and returns its rows once the server has acknowledged
    /// the commit: not before, because rows arrive earlier than that.
    pub(super) async fn rows(
        &mut self,
        sql: &Sql,
        parameters: &[Parameter<'_>],
    ) -> Result<Vec<Row>, tokio_postgres::Error> {
        self.is_waiting = true;
        let rows = self.answer(sql, parameters).await;
        self.is_waiting = false;
        rows
    }

    async fn answer(
        &mut self,
        sql: &Sql,
        parameters: &[Parameter<'_>],
    ) -> Result<Vec<Row>, tokio_postgres::Error> {
        let (Some(prepared), Some(name)) = (&mut self.prepared, sql.name) else {
            // Without a name: nothing has to be in the session that a pooler connects to.
            let typed: Vec<_> = parameters.iter().copied().zip(sql.types.iter().cloned()).collect();
            return self.client.query_typed(&sql.text, &typed).await;
        };
        let statement = match prepared.get(name) {
            Some(statement) => statement.clone(),
            None => {
                let statement = self.client.prepare_typed(&sql.text, sql.types).await?;
                prepared.insert(name, statement.clone());
                statement
            }
        };
        self.client.query(&statement, parameters).await
    }

    /// Runs several statements without parameters and results.
    pub(super) async fn run(&self, statements: &str) -> Result<(), tokio_postgres::Error> {
        self.client.batch_execute(statements).await
    }
}

impl Drop for Connection {
    /// Says goodbye to the server. One that has not answered may never do, so nothing waits for it then.
    fn drop(&mut self) {
        if self.is_waiting {
            self.work.abort();
        }
    }
}

/// `name` between quotation marks, for a statement. Only [`schema_name`] makes it.
pub(super) fn schema_name(name: &str) -> Result<String, OpenError> {
    let is_inner = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    let begins = name.starts_with(|c: char| is_inner(c) && !c.is_ascii_digit());
    if !begins || name.len() > 63 || !name.chars().all(is_inner) {
        return Err(OpenError::SchemaName { name: name.to_string() });
    }
    Ok(format!("\"{name}\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connection_string_has_several_hosts_and_asks_for_the_one_that_writes() {
        let config = read("postgresql://payer:secret@db1:5432,db2:5433/payouts?sslmode=require").unwrap();
        assert_eq!(config.get_hosts(), [Host::Tcp("db1".into()), Host::Tcp("db2".into())]);
        assert_eq!((config.get_ports(), config.get_ssl_mode()), (&[5432, 5433][..], SslMode::Require));
        assert_eq!(config.get_target_session_attrs(), TargetSessionAttrs::ReadWrite);
        assert_eq!(config.get_application_name(), Some("bolt12"));
    }

    #[test]
    fn each_host_alone_has_the_settings_of_all() {
        let text = "host=db1,/run,db3 port=1,2,3 user=u password=p dbname=d options=o application_name=a \
            sslmode=require connect_timeout=7 tcp_user_timeout=8 keepalives_idle=9 keepalives_interval=10 \
            keepalives_retries=11 channel_binding=require";
        let hosts = each_host(&read(text).unwrap());
        let alone = ["host=db1 port=1", "host=/run port=2", "host=db3 port=3"];
        let expected = alone.map(|host| read(&text.replace("host=db1,/run,db3 port=1,2,3", host)).unwrap());
        assert_eq!(hosts, expected);
        let hosts = each_host(&read("host=db1,db2 port=9").unwrap());
        assert_eq!(hosts[1], read("host=db2 port=9").unwrap());
        assert_eq!(hosts[1].get_connect_timeout(), Some(&CONNECT_TIMEOUT));
        assert_eq!(each_host(&read("hostaddr=127.0.0.1").unwrap()), [read("hostaddr=127.0.0.1").unwrap()]);
    }

    #[test]
    fn no_error_contains_a_part_of_the_connection_string() {
        let expected = "expected postgresql://user@host:port/database or host=… user=… dbname=…";
        for (text, reason) in [
            ("host=db password=sec ret", "cannot be read"),
            ("host=db password='secret", "cannot be read"),
            ("host=db secret=secret", "cannot be read"),
            ("postgresql://payer:secret@", "no host"),
            (
                "postgresql://payer:a@secret@db/payouts",
                "a host is empty or contains @ (in a password it is written %40)",
            ),
            ("postgresql://payer:secret@db:secret/payouts", "invalid value for option `port`"),
            ("host=db password=secret sslmode=verify-full", "invalid value for option `sslmode`"),
            ("user=payer password=secret", "no host"),
            ("secret", "cannot be read"),
            ("host=db1,db2,db3 port=1,2", "one port for all hosts is needed, or one for each"),
            ("host=db1,db2 hostaddr=127.0.0.1", "as many values of hostaddr as of host are needed"),
        ] {
            let error = read(text).unwrap_err();
            assert_eq!(error.to_string(), format!("connection string: {reason}, {expected}"), "{text}");
            assert!(!format!("{error:?}").contains("sec"), "{error:?}");
        }
    }

    #[test]
    fn the_name_of_a_schema_has_plain_characters() {
        assert_eq!(schema_name("payouts_2").unwrap(), "\"payouts_2\"");
        for name in ["", "2a", "a\"b", "Payouts", "a-b", &"a".repeat(64)] {
            let error = schema_name(name).unwrap_err().to_string();
            let expected = "not a name, expected 1 to 63 of a to z, 0 to 9 and _, not beginning with a digit";
            assert_eq!(error, format!("schema {name:?}: {expected}"));
        }
    }

    #[test]
    fn certificates_that_cannot_be_read_are_refused() {
        let config = read("host=db sslmode=require").unwrap();
        let refused = |roots: &str, own: Option<(&str, &str)>| {
            let own = own.map(|(chain, key)| (chain.into(), key.into()));
            let pem = Pem { roots: Some(roots.into()), own };
            tls(&config, &pem).map(|_| ()).unwrap_err().to_string()
        };
        assert_eq!(refused("no PEM", None), "certificates: no certificate in the PEM text");
        let wrong = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        assert_eq!(refused(wrong, None), "certificates: invalid peer certificate: BadEncoding");
    }
}
