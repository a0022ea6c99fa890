//! Two helpers that esbuild writes for `require` are replaced by `deno bundle` (2.9) when the source map is made
//! already: the map is then that of a text with longer helpers. Here the text gets as much blank as was taken away.

use regex_lite::Regex;

use crate::error::{Error, Result};

/// Ends of replacements, and the blank that makes them as long as what esbuild 0.25 had written. Names in a minified
/// helper have one letter, since those are the names that all functions share.
const EDITS: [(&str, char, usize); 3] = [
    // `require`, six lines of which three are left.
    (
        r"var __require = __deno_internal_createRequire\(import\.meta\.url\);",
        '\n',
        3,
    ),
    // The same, minified: `(r=>typeof require<"u"?…)(function(r){…});`
    (
        r"var [\w$]+=__deno_internal_createRequire\(import\.meta\.url\);",
        ' ',
        122,
    ),
    // In `__toESM`, minified: `1 ?` for `e||!r||!r.__esModule?`.
    (r#":\{\},[\w$]+\(1 \?[\w$]+\([\w$]+,"default","#, ' ', 18),
];

/// The code of a bundle with everything where its source map says that it is.
///
/// # Errors
/// None that is known; the patterns are fixed.
pub fn undone(code: &str) -> Result<String> {
    EDITS
        .iter()
        .try_fold(code.to_owned(), |code, (end, blank, length)| {
            let end = Regex::new(end).map_err(|cause| Error::failed(cause.to_string()))?;
            let blank = blank.to_string().repeat(*length);
            Ok(end.replace(&code, format!("$0{blank}")).into_owned())
        })
}

#[cfg(test)]
mod tests {
    use super::undone;

    #[test]
    fn minified_helpers_are_as_long_as_they_were() {
        let left = "var a=Object.create;";
        let require = r#"var m=(r=>typeof require<"u"?require:typeof Proxy<"u"?new Proxy(r,{get:(e,t)=>(typeof require<"u"?require:e)[t]}):r)(function(r){if(typeof require<"u")return require.apply(this,arguments);throw Error('Dynamic require of "'+r+'" is not supported')});"#;
        let edited = r#"import{createRequire as __deno_internal_createRequire} from "node:module";var m=__deno_internal_createRequire(import.meta.url);"#;
        let interop = |test: &str| {
            format!(
                r#"var C=(r,e,t)=>(t=r!=null?_(b(r)):{{}},E({test}v(t,"default",{{value:r,enumerable:!0}}):t,r));"#
            )
        };
        let before = format!("{left}{require}{}f();", interop("e||!r||!r.__esModule?"));
        let after = format!("{left}{edited}{}f();", interop("1 ?"));
        let undone = undone(&after).expect("patterns");
        assert_eq!(undone.find("f();"), before.find("f();"));
        assert_eq!(undone.replace(' ', ""), after.replace(' ', ""));
    }

    #[test]
    fn code_without_such_helpers_stays_as_it_is() {
        let code = "var f=()=>1;export{f as default};";
        assert_eq!(undone(code).expect("patterns"), code);
    }
}
