use secrecy::ExposeSecret;

use super::*;

const USUAL: &str = "
apiVersion: v1
kind: Config
current-context: main
contexts:
- name: main
  context: {cluster: c, user: u}
- name: other
  context: {cluster: c}
clusters:
- name: c
  cluster: {server: 'https://k8s.example.com:6443', certificate-authority: pki/ca.crt}
users:
- name: u
  user: {token: t}
";

fn parse(text: &str) -> Kubeconfig {
    Kubeconfig::parse(text, Path::new("/home/ada/.kube/config")).expect("a kubeconfig")
}

/// The usual one, with another cluster and user.
fn with(cluster: &str, user: &str) -> Result<Selected, Mistake> {
    let text = format!(
        "current-context: x\ncontexts: [{{name: x, context: {{cluster: c, user: u}}}}]\nclusters: [{{name: c, cluster: {cluster}}}]\nusers: [{{name: u, user: {user}}}]\n"
    );
    Kubeconfig::parse(&text, Path::new("/k/config"))?.select(None)
}

fn user(user: &str) -> Result<User, String> {
    let selected = with("{server: 'https://k'}", user);
    selected
        .map(|selected| selected.user)
        .map_err(|mistake| mistake.to_string())
}

#[test]
fn the_current_context_counts_unless_another_is_asked_for() {
    let selected = parse(USUAL).select(None).expect("a context");
    assert_eq!(
        (selected.context.as_str(), selected.user_name.as_str()),
        ("main", "u")
    );
    assert_eq!(
        selected.cluster.address.url(),
        "https://k8s.example.com:6443"
    );
    let selected = parse(USUAL).select(Some("other")).expect("a context");
    assert!(matches!(selected.user.identity, Identity::None));
}

#[test]
fn paths_start_at_the_file() {
    let selected = parse(USUAL).select(None).expect("a context");
    let authority = Source::File("/home/ada/.kube/pki/ca.crt".into());
    assert_eq!(selected.cluster.authority, Some(authority));
    for (command, expected) in [
        ("aws", "aws"),
        ("./bin/aws", "/k/./bin/aws"),
        ("/bin/aws", "/bin/aws"),
    ] {
        let exec = format!(
            "{{exec: {{apiVersion: client.authentication.k8s.io/v1, interactiveMode: Never, command: {command}}}}}"
        );
        let Identity::Exec(exec) = user(&exec).expect("a user").identity else {
            panic!("no plugin");
        };
        assert_eq!(exec.command, Path::new(expected));
    }
}

#[test]
fn the_first_file_that_names_an_entry_decides() {
    let later = "current-context: late\nusers: [{name: u, user: {token: late, as: late}}, {name: v, user: {token: v}}]\ncontexts: [{name: late, context: {cluster: c, user: v}}]";
    let later = Kubeconfig::parse(later, Path::new("/b")).expect("a kubeconfig");
    let merged = parse(USUAL).merge(later);
    let selected = merged.select(None).expect("a context");
    let Identity::Token(token) = &selected.user.identity else {
        panic!("no token");
    };
    assert_eq!(
        (token.expose_secret(), selected.user.impersonation),
        ("t", None)
    );
    let selected = merged.select(Some("late")).expect("a context");
    assert!(
        matches!(&selected.user.identity, Identity::Token(token) if token.expose_secret() == "v")
    );
}

#[test]
fn base64_may_be_broken_into_lines() {
    let cluster = |data: &str| {
        with(
            &format!("{{server: 'https://k', certificate-authority-data: \"{data}\"}}"),
            "{}",
        )
    };
    let selected = cluster("aGVs\\nbG8=\\n").expect("a cluster");
    assert_eq!(
        selected.cluster.authority,
        Some(Source::Data(b"hello".to_vec()))
    );
    let told = cluster("aGVs bG8=").expect_err("an error").to_string();
    assert_eq!(
        told,
        "/k/config: `clusters[0].cluster.certificate-authority-data` is not valid base64"
    );
}

#[test]
fn a_token_in_a_file_comes_before_one_in_the_kubeconfig() {
    let found = user("{token: t, tokenFile: tok}").expect("a user").identity;
    let Identity::TokenFile { path, otherwise } = found else {
        panic!("no file");
    };
    assert_eq!((path, otherwise.is_some()), (PathBuf::from("/k/tok"), true));
}

#[test]
fn credentials_that_exclude_each_other_are_refused() {
    for (written, told) in [
        ("{token: t, username: a, password: b}", "only one can count"),
        ("{client-certificate-data: aGk=}", "without a key"),
        (
            "{client-certificate: a, client-certificate-data: aGk=, client-key: k}",
            "client-certificate and client-certificate-data",
        ),
        ("{as-groups: [g]}", "does not name"),
        ("{auth-provider: {name: gcp}}", "auth-provider `gcp`"),
        (
            "{auth-provider: {name: oidc, config: {}}}",
            "auth-provider `oidc`",
        ),
        ("{exec: {command: x}}", "no apiVersion"),
        (
            "{exec: {apiVersion: client.authentication.k8s.io/v1alpha1, command: x}}",
            "has removed",
        ),
        (
            "{exec: {apiVersion: client.authentication.k8s.io/v1, command: x}}",
            "no interactiveMode",
        ),
        (
            "{exec: {apiVersion: client.authentication.k8s.io/v1, command: x, interactiveMode: Maybe}}",
            "unknown interactiveMode",
        ),
        (
            "{exec: {apiVersion: client.authentication.k8s.io/v1beta1, interactiveMode: Never}}",
            "no command",
        ),
    ] {
        let said = user(written).expect_err(written);
        assert!(said.contains(told), "{said}");
        assert!(said.contains("`u`") && said.contains("`x`"), "{said}");
    }
}

#[test]
fn a_cluster_that_cannot_be_used_is_named() {
    for (written, told) in [
        ("{}", "no server"),
        ("{server: 'ftp://k'}", "neither https nor http"),
        ("{server: 'https://a:secret@k'}", "holds a user"),
        (
            "{server: 'https://k', insecure-skip-tls-verify: true, certificate-authority: ca}",
            "exclude each other",
        ),
        ("{server: 'https://k', proxy-url: 'ftp://p'}", "proxy-url"),
        ("{server: 'https://k', proxy-url: 'socks5h://p'}", "socks5h"),
    ] {
        let said = with(written, "{}").expect_err(written).to_string();
        assert!(
            said.contains(told) && said.contains("cluster `c`"),
            "{said}"
        );
        assert!(!said.contains("secret"), "{said}");
    }
}

#[test]
fn a_server_is_read_as_client_go_reads_it() {
    for (written, url) in [
        ("https://k:6443", "https://k:6443"),
        ("https://k", "https://k:443"),
        ("http://k", "http://k:80"),
        ("https://k/clusters/a/?q=1#f", "https://k:443/clusters/a"),
        ("k:8080", "http://k:8080"),
        ("10.0.0.1", "http://10.0.0.1:80"),
        ("https://[::1]:6443/", "https://[::1]:6443"),
    ] {
        assert_eq!(parse_server(written).expect(written).url(), url);
    }
    for written in [
        "k:8080/path",
        "https://",
        "https://a b",
        "https://k:notaport",
    ] {
        assert_eq!(
            parse_server(written),
            Err(UnusableServer::NotAUrl),
            "{written}"
        );
    }
}

#[test]
fn what_is_no_kubeconfig_is_told_by_its_place_and_never_by_its_content() {
    for (text, told) in [
        ("a: [secret", "/k/config:"),
        ("- secret", "must be a map"),
        ("kind: Pod\napiVersion: v1", "not a kubeconfig"),
        (
            "users: [{name: u, user: secret}]",
            "`users[0].user` must be a map",
        ),
        ("clusters: secret", "`clusters` must be a list"),
        (
            "contexts: [{name: a}, {name: a}]",
            "two of its contexts are named `a`",
        ),
    ] {
        let mistake = Kubeconfig::parse(text, Path::new("/k/config"))
            .map(drop)
            .expect_err(text);
        let said = mistake.to_string();
        assert!(said.contains(told) && !said.contains("secret"), "{said}");
    }
    let said = user("{token: 12345678}").expect_err("an error");
    assert!(
        said.contains("`users[0].user.token` must be text") && !said.contains("1234"),
        "{said}"
    );
}

#[test]
fn names_that_lead_nowhere_are_told_with_those_that_exist() {
    let mistake = parse(USUAL).select(Some("absent")).expect_err("an error");
    assert_eq!(
        mistake.to_string(),
        "the kubeconfig has no context `absent`"
    );
    assert!(mistake.hint().ends_with("main, other"));
    let mistake = parse("").select(None).expect_err("an error");
    assert_eq!(
        mistake.to_string(),
        "the kubeconfig names no current context"
    );
    assert!(mistake.hint().contains("no contexts at all"));
    let text = "current-context: x\ncontexts: [{name: x, context: {cluster: gone, user: u}}]";
    let mistake = parse(text).select(None).expect_err("an error");
    assert!(mistake.to_string().contains("no cluster `gone`"));
}

#[test]
fn nothing_of_a_user_shows_in_debug_output() {
    let found =
        user("{token: hidden, client-certificate-data: aGlkZGVu, client-key-data: aGlkZGVu}");
    let shown = format!("{:?}", found.expect("a user"));
    assert!(
        !shown.contains("hidden") && !shown.contains("aGlk"),
        "{shown}"
    );
}
