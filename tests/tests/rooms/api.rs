//! What the libraries show, as files that a change of it must change: `tests/api/`.
//!
//! Every `pub` in a source is public, because the lint `unreachable_pub` allows no other. So the files are the `pub`
//! items of all modules, without bodies, documentation and private fields, and with the `pub use` that give them
//! their names.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use syn::{Attribute, Fields, File, ImplItem, Item, Type, Visibility};

/// Where the crates are that programs use.
const CRATES: [(&str, &str); 2] = [("core", "rollsnap-core"), ("native", "rollsnap")];

/// What is public in a crate.
#[derive(Default)]
struct Api {
    /// Each module with public items, and these.
    modules: Vec<(String, Vec<Item>)>,
    /// The names of its types: what others implement is nobody's.
    types: BTreeSet<String>,
}

impl Api {
    fn render(self) -> String {
        let Self { modules, types } = self;
        let is_shown = |item: &Item| match item {
            Item::Impl(item) => match &*item.self_ty {
                Type::Path(path) => {
                    path.path.segments.last().is_some_and(|last| types.contains(&last.ident.to_string()))
                }
                _ => true,
            },
            _ => true,
        };
        let mut text = String::new();
        for (name, mut items) in modules {
            items.retain(is_shown);
            if !items.is_empty() {
                let file = File { shebang: None, frontmatter: None, attrs: Vec::new(), items };
                text += &format!("// {name}\n{}\n", prettyplease::unparse(&file));
            }
        }
        text
    }
}

/// Adds what is public in a file, and in the modules below it.
fn module(dir: &Path, name: &str, file: &Path, api: &mut Api) {
    let text = fs::read_to_string(file).unwrap();
    let source: File = syn::parse_file(&text).unwrap_or_else(|err| panic!("{}: {err}", file.display()));
    let mut below = Vec::new();
    let mut shown = Vec::new();
    for item in source.items {
        if let Item::Mod(module) = &item {
            if !for_tests(&module.attrs) && module.content.is_none() {
                below.push((module.ident.to_string(), is_public(&module.vis)));
            }
            continue;
        }
        shown.extend(public(item));
    }
    api.types.extend(shown.iter().filter_map(|item| match item {
        Item::Struct(item) => Some(item.ident.to_string()),
        Item::Enum(item) => Some(item.ident.to_string()),
        Item::Type(item) => Some(item.ident.to_string()),
        _ => None,
    }));
    api.modules.push((name.to_owned(), shown));
    for (child, is_public) in below {
        let kind = if is_public { "" } else { "(private) " };
        let (flat, nested) = (dir.join(format!("{child}.rs")), dir.join(&child).join("mod.rs"));
        let file = if flat.exists() { flat } else { nested };
        module(&dir.join(&child), &format!("{name}::{kind}{child}"), &file, api);
    }
}

fn is_public(visibility: &Visibility) -> bool {
    matches!(visibility, Visibility::Public(_))
}

fn for_tests(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        attribute.path().is_ident("cfg")
            && matches!(attribute.parse_args::<syn::Path>(), Ok(path) if path.is_ident("test"))
    })
}

/// What stays of attributes: what users may rely on.
fn kept(attributes: &mut Vec<Attribute>) {
    attributes.retain(|attribute| {
        ["non_exhaustive", "derive", "must_use", "repr"].iter().any(|name| attribute.path().is_ident(name))
    });
}

fn public_fields(fields: &mut Fields) {
    match fields {
        Fields::Named(named) => {
            let all = std::mem::take(&mut named.named);
            named.named = all.into_iter().filter(|field| is_public(&field.vis)).collect();
        }
        // The others keep their places.
        Fields::Unnamed(unnamed) => {
            for field in unnamed.unnamed.iter_mut().filter(|field| !is_public(&field.vis)) {
                field.ty = syn::parse_quote!(_);
            }
        }
        Fields::Unit => {}
    }
    fields.iter_mut().for_each(|field| kept(&mut field.attrs));
}

/// The item as its users see it; `None` when they do not.
fn public(item: Item) -> Option<Item> {
    match item {
        Item::Struct(mut item) if is_public(&item.vis) => {
            kept(&mut item.attrs);
            public_fields(&mut item.fields);
            Some(Item::Struct(item))
        }
        Item::Enum(mut item) if is_public(&item.vis) => {
            kept(&mut item.attrs);
            for variant in &mut item.variants {
                kept(&mut variant.attrs);
                variant.fields.iter_mut().for_each(|field| kept(&mut field.attrs));
            }
            Some(Item::Enum(item))
        }
        Item::Trait(mut item) if is_public(&item.vis) => {
            kept(&mut item.attrs);
            for member in &mut item.items {
                if let syn::TraitItem::Fn(function) = member {
                    kept(&mut function.attrs);
                    // A default stays to be seen, what it does not.
                    function.default = function.default.take().map(|_| syn::parse_quote!({ .. }));
                }
            }
            Some(Item::Trait(item))
        }
        Item::Fn(mut item) if is_public(&item.vis) => {
            kept(&mut item.attrs);
            item.block = Box::new(syn::parse_quote!({}));
            Some(Item::Fn(item))
        }
        Item::Const(mut item) if is_public(&item.vis) => {
            kept(&mut item.attrs);
            Some(Item::Const(item))
        }
        Item::Static(mut item) if is_public(&item.vis) => {
            kept(&mut item.attrs);
            Some(Item::Static(item))
        }
        Item::Type(mut item) if is_public(&item.vis) => {
            kept(&mut item.attrs);
            Some(Item::Type(item))
        }
        Item::Use(mut item) if is_public(&item.vis) => {
            kept(&mut item.attrs);
            Some(Item::Use(item))
        }
        Item::Impl(mut item) if !for_tests(&item.attrs) => {
            kept(&mut item.attrs);
            if item.trait_.is_some() {
                item.items.clear();
                return Some(Item::Impl(item));
            }
            item.items.retain(|member| match member {
                ImplItem::Fn(function) => is_public(&function.vis),
                ImplItem::Const(constant) => is_public(&constant.vis),
                _ => false,
            });
            for member in &mut item.items {
                match member {
                    ImplItem::Fn(function) => {
                        kept(&mut function.attrs);
                        function.block = syn::parse_quote!({});
                    }
                    ImplItem::Const(constant) => kept(&mut constant.attrs),
                    _ => {}
                }
            }
            (!item.items.is_empty()).then_some(Item::Impl(item))
        }
        _ => None,
    }
}

#[test]
fn a_change_of_what_is_public_is_written_down() {
    let root = super::root();
    let mut changed = Vec::new();
    for (folder, name) in CRATES {
        let src = root.join(folder).join("src");
        let mut api = Api::default();
        module(&src, &name.replace('-', "_"), &src.join("lib.rs"), &mut api);
        let found = api.render();
        let path = root.join("tests/api").join(format!("{name}.rs"));
        let written = fs::read_to_string(&path).unwrap_or_default();
        if found == written {
            continue;
        }
        if std::env::var_os("WRITE_API").is_some() {
            fs::write(&path, &found).unwrap();
            continue;
        }
        let line = found.lines().zip(written.lines()).position(|(found, written)| found != written);
        let line = line.unwrap_or_else(|| found.lines().count().min(written.lines().count()));
        changed.push(format!(
            "tests/api/{name}.rs, line {}: now it is {:?}",
            line + 1,
            found.lines().nth(line).unwrap_or("the end")
        ));
    }
    assert!(
        changed.is_empty(),
        "what the libraries show has changed. If that is meant, WRITE_API=1 cargo test -p rollsnap-tests --test rooms \
         writes it down, and CHANGELOG.md says it:\n{}",
        changed.join("\n")
    );
}
