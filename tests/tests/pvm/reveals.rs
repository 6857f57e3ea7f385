//! What kernels ask for: pre-images of a data directory, and pages of the data availability layer.

use std::fs;

use rollsnap::data_dir::PvmKind;
use rollsnap::l1::DalConstants;
use rollsnap::replay::{Levels, PreImages, Reveals};
use rollsnap_core::context::edit::Bytes;
use rollsnap_core::pvm::{DalPage, DalParameters, Reveal, Rollup};
use rollsnap_core::{Code, Result};
use rollsnap_tests::fixtures::unhex;

/// By Python: `hashlib.blake2b(data, digest_size=32)` of `b"one"`, of 4096 bytes 7, and of nothing.
const ONE: &str = "d01c06cb09606bc4b2cedf4266a3a20e1e636b467cb77a9dbed595094e02ea46";
const LONGEST: &str = "62945e6d677bf49a2c8923fbb29436bc143757d5458dbb7bac09ea3c73dca399";
const EMPTY: &str = "0e5751c026e543b2e8ab2eb06099daa1d1e5df47778f7787faab45cdf12fe3a8";

#[test]
fn pre_images_of_a_directory() {
    let root = tempfile::tempdir().unwrap();
    let directory = root.path().join("wasm_2_0_0");
    fs::create_dir(&directory).unwrap();
    let pre_images = PreImages::of(root.path(), PvmKind::Wasm200);
    let hash = |text: &str| -> [u8; 32] { unhex(text).try_into().unwrap() };
    let one = hash(ONE);
    let code = |hash: &[u8; 32]| pre_images.read(hash).unwrap_err().code();
    assert_eq!(code(&one), Code::PreImageMissing);
    let path = directory.join(format!("00{ONE}"));
    fs::create_dir(&path).unwrap();
    assert_eq!(code(&one), Code::IoOther, "not a regular file");
    fs::remove_dir(&path).unwrap();
    fs::write(&path, b"one").unwrap();
    assert_eq!(pre_images.read(&one).unwrap(), b"one");
    fs::write(&path, b"two").unwrap();
    assert_eq!(code(&one), Code::PreImageHash);
    fs::write(&path, vec![0; 4097]).unwrap();
    assert_eq!(code(&one), Code::PreImageSize);
    fs::write(directory.join(format!("00{LONGEST}")), vec![7; 4096]).unwrap();
    assert_eq!(pre_images.read(&hash(LONGEST)).unwrap(), [7; 4096]);
    // The empty string needs no file.
    assert_eq!(pre_images.read(&hash(EMPTY)).unwrap(), b"");
    assert_eq!(PreImages::of(&path, PvmKind::Wasm200).read(&one).unwrap_err().code(), Code::PreImageMissing);
}

fn of(name: &str) -> Option<DalConstants> {
    DalConstants::of_protocol(&name.parse().unwrap())
}

/// Numbers of the protocols' own parameters for mainnet.
#[test]
fn constants_that_are_known() {
    let since_paris = [
        "PtParisBxoLz5gzMmn3d9WBQNoPSZakgnkMC2VNuQ3KXfUtUQeZ",
        "PsParisCZo7KAh1Z1smVd9ZMZ1HHn5gkzbM94V3PLCpknFWhUAi",
        "PsQuebecnLByd3JwTiGadoG4nGWi3HYiLXUjkibeFV8dCFeVMUg",
        "PsRiotumaAMotcRoDWW1bysEhQy2n1M5fy8JgRp8jjRfHGmfeA7",
        "PtSeouLouXkxhg39oWzjxDWaCydNfR3RxCUrNe4Q9Ro8BTehcbh",
        "PtTALLiNtPec7mE7yY4m3k26J8Qukef3E3ehzhfXgFZKGtDdAXu",
    ];
    for name in since_paris {
        let constants = of(name).unwrap();
        assert_eq!((constants.number_of_slots, constants.attestation_lag), (32, 8));
        assert_eq!((constants.slot_size, constants.page_size, constants.pages()), (126_944, 3967, 32));
    }
    for (name, lag) in [
        ("PtNairobiyssHuh87hEhfVBGCVrK3WnS8Z2FT4ymB5tAa4r1nQf", 1),
        ("ProxfordYmVfjWnRcgjWH36fW6PArwqykTFzotUxRs6gmTcZDuH", 4),
    ] {
        let constants = of(name).unwrap();
        assert_eq!((constants.number_of_slots, constants.attestation_lag), (256, lag));
        assert_eq!((constants.slot_size, constants.page_size), (1_048_576, 4096));
        assert_eq!(constants.active_since, None);
    }
    assert_eq!(of("PtMumbai2TmsJHNGRkD8v8YDbtao7BLUC3wjASn1inAKLFCjaH1"), None);
    assert_eq!(of("PtAtLasdzXg4XxeVNtWheo13nG4wHXP22qYMqFcT3fyBpWkFero"), None);
}

/// The window is from `published + lag` to `published + lag + validity`, both included; what was
/// published at the origination or before is never imported.
#[test]
fn pages_are_imported_in_a_window() {
    let quebec = of("PsQuebecnLByd3JwTiGadoG4nGWi3HYiLXUjkibeFV8dCFeVMUg").unwrap();
    let page = |published_level, slot, page| DalPage { published_level, slot, page };
    for (id, level, expected) in [
        (page(200, 0, 0), 207, false),
        (page(200, 0, 0), 208, true),
        (page(200, 31, 31), 200 + 8 + 241_920, true),
        (page(200, 31, 31), 200 + 8 + 241_921, false),
        (page(100, 0, 0), 300, false),
        (page(101, 0, 0), 300, true),
        (page(200, 32, 0), 300, false),
        (page(200, 0, 32), 300, false),
        (page(200, 0, -1), 300, false),
        (page(i32::MAX, 0, 0), i32::MAX, false),
        (page(i32::MIN, 0, 0), 300, false),
    ] {
        assert_eq!(quebec.may_import(&id, 100, level), expected, "{id:?} at {level}");
    }
    let off = of("ProxfordYmVfjWnRcgjWH36fW6PArwqykTFzotUxRs6gmTcZDuH").unwrap();
    assert!(!off.may_import(&page(200, 0, 0), 100, 300));
}

/// Quebec from level 150 on, before that a protocol that nobody knows; slot 1 was attested, slot 2 not.
struct SomeLevels;

impl Levels for SomeLevels {
    fn dal_constants(&mut self, level: i32) -> Result<Option<DalConstants>> {
        Ok(of("PsQuebecnLByd3JwTiGadoG4nGWi3HYiLXUjkibeFV8dCFeVMUg").filter(|_| level >= 150))
    }

    fn is_attested(&mut self, _: i32, slot: u8) -> Result<Option<bool>> {
        Ok([None, Some(true), Some(false)].get(usize::from(slot)).copied().flatten())
    }
}

#[test]
fn nothing_is_guessed() {
    let root = tempfile::tempdir().unwrap();
    let rollup =
        Rollup { address: "sr1CnSVbNpLGRVSAxFhCNPnUZDWVdBwdwTLQ".parse().unwrap(), origination_level: 100 };
    let mut reveals = Reveals::new(PreImages::of(root.path(), PvmKind::Wasm200), rollup, SomeLevels);
    assert_eq!(reveals.pre_image(&[7; 32]).unwrap_err().code(), Code::PreImageMissing);
    let known =
        DalParameters { number_of_slots: 32, attestation_lag: 8, slot_size: 126_944, page_size: 3967 };
    assert_eq!(reveals.dal_parameters(150), Ok(known));
    assert_eq!(reveals.dal_parameters(149).unwrap_err().code(), Code::PvmRefusedReveal);
    let mut ask = |published_level, slot| reveals.dal_page(200, DalPage { published_level, slot, page: 3 });
    let empty = |answer: Result<Bytes>| assert!(answer.unwrap().is_empty());
    // At the origination, in the future, before the attestation, out of range, not attested.
    for (published, slot) in [(100, 1), (201, 1), (i32::MAX, 1), (193, 1), (160, 32), (160, 2)] {
        empty(ask(published, slot));
    }
    for (published, slot, text) in [
        (192, 1, "page 3 of slot 1 that was published at level 192"),
        (160, 0, "whether slot 0 that was published at level 160 was attested"),
        (149, 1, "the constants of the DAL at level 149"),
    ] {
        let problem = ask(published, slot).unwrap_err();
        assert_eq!(problem.code(), Code::PvmRefusedReveal);
        assert!(problem.to_string().contains(text), "{problem}");
    }
}
