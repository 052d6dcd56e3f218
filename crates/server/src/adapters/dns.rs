//! Questions to name servers: the machine's own, or those that `server.dns` names.
//!
//! Nothing is remembered from one look to the next: who has just published a record wants to
//! see it. A name server on the way may remember for as long as the record's time to live.

use std::net::SocketAddr;
use std::time::Duration;

use hickory_resolver::TokioResolver;
use hickory_resolver::config::{NameServerConfig, ResolverConfig, ResolverOpts};
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::net::{DnsError, NetError, NoRecords};
use hickory_resolver::proto::op::ResponseCode;
use hickory_resolver::proto::rr::{Name, RData, RecordType};
use hogwire_connectors::smtp::records::{Kind, Looked, Question};
use hogwire_engine::outside::Dns;
use tokio::runtime::Handle;
use tokio::task::JoinSet;

const PATIENCE: Duration = Duration::from_secs(3);

pub struct NameServers {
    runtime: Handle,
    resolver: Result<TokioResolver, String>,
}

impl NameServers {
    /// Without addresses, those that the machine asks.
    pub fn new(runtime: Handle, addresses: &[SocketAddr]) -> Self {
        // The resolver's sockets belong to the runtime it is made in.
        let _within = runtime.enter();
        let resolver = resolver(addresses).map_err(|error| error.to_string());
        Self { runtime: runtime.clone(), resolver }
    }
}

fn resolver(addresses: &[SocketAddr]) -> Result<TokioResolver, NetError> {
    let mut builder = if addresses.is_empty() {
        TokioResolver::builder_tokio()?
    } else {
        let servers = addresses.iter().map(server).collect();
        let config = ResolverConfig::from_parts(None, Vec::new(), servers);
        TokioResolver::builder_with_config(config, TokioRuntimeProvider::default())
    };
    let options: &mut ResolverOpts = builder.options_mut();
    options.cache_size = 0;
    options.timeout = PATIENCE;
    options.attempts = 2;
    builder.build()
}

fn server(address: &SocketAddr) -> NameServerConfig {
    let mut server = NameServerConfig::udp_and_tcp(address.ip());
    for connection in &mut server.connections {
        connection.port = address.port();
    }
    server
}

impl Dns for NameServers {
    fn look(&self, questions: Vec<Question>) -> Vec<Looked> {
        let resolver = match &self.resolver {
            Ok(resolver) => resolver,
            Err(why) => return questions.iter().map(|_| Looked::Failed(why.clone())).collect(),
        };
        let mut answers: Vec<Looked> =
            questions.iter().map(|_| Looked::Failed("the look was abandoned".to_owned())).collect();
        self.runtime.block_on(async {
            let mut looks = JoinSet::new();
            for (place, question) in questions.into_iter().enumerate() {
                let resolver = resolver.clone();
                looks.spawn(async move { (place, one(&resolver, &question).await) });
            }
            while let Some(looked) = looks.join_next().await {
                if let Ok((place, looked)) = looked {
                    answers[place] = looked;
                }
            }
        });
        answers
    }
}

async fn one(resolver: &TokioResolver, question: &Question) -> Looked {
    let kind = match question.kind {
        Kind::Txt => RecordType::TXT,
        Kind::Mx => RecordType::MX,
    };
    // Absolute, so that no search list of the machine is tried.
    let Ok(name) = Name::from_ascii(format!("{}.", question.name)) else { return Looked::Nothing };
    match resolver.lookup(name, kind).await {
        Ok(found) => {
            let texts: Vec<String> = found.answers().iter().filter_map(|record| text(&record.data, kind)).collect();
            if texts.is_empty() { Looked::Nothing } else { Looked::Found(texts) }
        }
        Err(error) if is_nothing(&error) => Looked::Nothing,
        Err(error) => Looked::Failed(error.to_string()),
    }
}

fn is_nothing(error: &NetError) -> bool {
    let NetError::Dns(DnsError::NoRecordsFound(NoRecords { response_code, .. })) = error else { return false };
    matches!(response_code, ResponseCode::NoError | ResponseCode::NXDomain)
}

fn text(data: &RData, kind: RecordType) -> Option<String> {
    match (data, kind) {
        (RData::TXT(text), RecordType::TXT) => {
            Some(text.txt_data.iter().map(|part| String::from_utf8_lossy(part)).collect())
        }
        (RData::MX(mx), RecordType::MX) => {
            let host = mx.exchange.to_ascii();
            // RFC 7505: a lone dot says that no mail is taken.
            (host != ".").then(|| host.trim_end_matches('.').to_owned())
        }
        _ => None,
    }
}
