//! `tntc configure`.

use crate::support::tntc;

#[test]
fn a_setting_is_written_and_everything_else_is_kept() {
    let home = tempfile::tempdir().expect("a temporary directory");
    let dir = home.path().join(".tentacular");
    std::fs::create_dir(&dir).expect("a directory");
    let file = dir.join("config.yaml");
    std::fs::write(
        &file,
        "# mine\nregistry: old.example.com # ours\nenvironments:\n  dev: {namespace: d}\n",
    )
    .expect("a file");
    tntc(["configure", "-r", "new.example.com", "-n", "team"])
        .env("HOME", home.path())
        .run()
        .exits(0);
    let text = std::fs::read_to_string(&file).expect("a file");
    assert_eq!(
        text,
        "# mine\nregistry: new.example.com # ours\nenvironments:\n  dev: {namespace: d}\nnamespace: team\n"
    );
}

#[test]
fn the_projects_file_is_made_when_missing() {
    let home = tempfile::tempdir().expect("a temporary directory");
    let project = tempfile::tempdir().expect("a temporary directory");
    let configure = ["configure", "--project", "--runtime-class", ""];
    tntc(configure)
        .env("HOME", home.path())
        .current_dir(project.path())
        .run()
        .exits(0);
    let text =
        std::fs::read_to_string(project.path().join(".tentacular/config.yaml")).expect("a file");
    assert_eq!(text, "runtime_class: \"\"\n");
}

#[test]
fn show_tells_where_each_value_comes_from() {
    let home = tempfile::tempdir().expect("a temporary directory");
    std::fs::create_dir(home.path().join(".tentacular")).expect("a directory");
    let config = "runtime_class: ''\nenvironments: {dev: {namespace: from-dev, image: engine:dev}}\nnamespac: typo\n";
    std::fs::write(home.path().join(".tentacular/config.yaml"), config).expect("a file");
    let elsewhere = tempfile::tempdir().expect("a temporary directory");
    let show = ["configure", "--show", "--env", "dev", "-o", "json"];
    let answer = tntc(show)
        .env("HOME", home.path())
        .current_dir(elsewhere.path())
        .run()
        .exits(0)
        .says("did you mean `namespace`?");
    let settings = &answer.json()["settings"];
    assert_eq!(settings["namespace"]["value"], "from-dev");
    assert_eq!(settings["namespace"]["origin"]["from"], "environment");
    assert_eq!(settings["runtime_class"]["origin"]["from"], "user");
    let text = tntc(["configure", "--show"])
        .env("HOME", home.path())
        .current_dir(elsewhere.path())
        .run()
        .exits(0);
    text.answers("runtime_class").answers("user config");
}

#[test]
fn a_broken_file_is_told_and_left_alone() {
    let home = tempfile::tempdir().expect("a temporary directory");
    let dir = home.path().join(".tentacular");
    std::fs::create_dir(&dir).expect("a directory");
    std::fs::write(dir.join("config.yaml"), "a: [").expect("a file");
    tntc(["configure", "-n", "team"])
        .env("HOME", home.path())
        .run()
        .exits(2)
        .says("nothing was written");
    assert_eq!(
        std::fs::read_to_string(dir.join("config.yaml")).expect("a file"),
        "a: ["
    );
}
