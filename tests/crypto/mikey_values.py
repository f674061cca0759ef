"""Secrets of the MIKEY exchanges in tests.dissectors.mikey.vectors, and values on the way to their keys, in hex.

The pre-shared and MIKEY-TICKET exchanges were computed; the messages of mission critical services and the values for
them are published: StreamwideTestVectors.md and unit tests of sw_mikey_sakke (commit f599c2a).
"""

from __future__ import annotations

PSK_EXCHANGE: dict[str, str] = {
    "PSK": "101112131415161718191a1b1c1d1e1f",
    "RAND": "a0a1a2a3a4a5a6a7a8a9aaabacadaeaf",
    "encr_key": "82222d40db0cdc619e2549ef2c27ef32",
    "auth_key": "5c0b0c9e9a7be44228915bda0e45013c2932f230",
    "salt_key": "c417042cded72ca507b70c1c2524",
    "IV": "c417161888afcb04b5748c1c25240000",
    "keydata plaintext": "00110010404142434445464748494a4b4c4d4e4f000e606162636465666768696a6b6c6d0400000001",
    "KEMAC MAC": "255a4a69a39be4a910bd617bd6241ee75cf4936b",
    "V MAC": "75a39ab406ab8c45a5caacfd5702587d3b56e3a2",
    "V MAC of minisip": "55d5f6080655db7e67e26e1277a0445ac45c5f45",
    "TEK 1": "81fd9ed9f2e8a09e572eaa935d972b36",
    "TEK 2": "eebf0b1b3a947a67de1283e931a9db6e",
    "salt 1": "392a496e3e251e26316d9e640aa7",
    "salt 2": "3003bc0b3f148ca8594e3fcf4315",
}
"""The pre-shared exchange of RFC 3830."""

A128: dict[str, str] = {
    "PSK_I": "f7bbddeaf3a6f78c1e6bd04af52e210d",
    "PSK_R": "67a37c1d65bd7c74aa6d95edc5caaa63",
    "TPK": "356f3318e29b042c9e93991ac80fe357",
    "MPK": "aed735caf8bb389ccb8a4b5b62e34fa4",
    "TGK": "fd21b8bc375a1d573b83d14083618145",
    "SALT": "9268cd32d499538c3a79a112db16",
    "RANDRi": "1d949917f8df4c21264d3c81a5a789e3",
    "RAND_ticket": "3ef1608d4a82eb7f33829b969e4f6258",
    "RANDRr_resolve": "3c3732870226aa9807bc4a918be73c05",
    "ticket encr/auth/salt key": (
        "6c171a8a8e1d69f12fbda6db812050c5eb711e6cf328da55a97e5cd88860ee650d442e9b1f5035190ddf07d1bbb68ac97600"
    ),
    "MPKi": "c2f90b80a3a158935c62116719b673ff",
    "MPKr": "73c9f9202b8f8c7b6dd5fba5fce1f79b",
    "ticket IV": "1f50cae6f220e07009758ac976000000",
    "ticket MAC": "5a0aa000d2b33e0f25f9b08a4e068e2bafa78037",
    "REQUEST_INIT_PSK auth_key": "1145cb37c1dd6602cab50cc4828230c2299ec664",
    "REQUEST_RESP encr/auth/salt": (
        "110146b820ee10d06fa6af7b60528b8b82e25c01f7cbe91bef99f1348a88b006eaff1f82dcefc3f3814b245f39d25bab949c"
    ),
    "REQUEST_RESP IV": "dcefc9f88d4ac3fe8b165bab949c0000",
    "TRANSFER_INIT auth_key": "9a95e6154a7edcfe31cddad887f277f6d8eac1d4",
    "TRANSFER_INIT MAC": "54ced8edc8b0096e152fe387276ffb631908e5f5",
    "TRANSFER_RESP auth_key": "e93ef9fcd6cbdb9c63949a548f66cfd2c1d0284b",
    "TEK 1": "f690ecc199200f2a93cb67ebf1c8b238",
    "TEK 2": "dd66e09714d388fb4d2ce555809a948f",
}
"""The MIKEY-TICKET exchange with SHA-1 and keys of 128 bits, without key forking."""

B256F: dict[str, str] = {
    "PSK_I": "8bf8e264a2af77704b724c9912a936d05dc4453578e4d2c6602b59a3cfc06ca5",
    "PSK_R": "393ba9a7e826e255c02ddd9c500bb8514539697b9a55da8b7458edd2f466165e",
    "TPK": "25c6c1403da37648500fbecfaf946b662bbabc716a9919bdc24353d2da97df47",
    "MPK": "1da93282d847d12cd62e3326d8cd0e0a7ee663bb378c8c04c969ef692d270ed2",
    "TGK": "1660ec18eac401fb95ec4a0ffcce528c40ef803dce780029114058684db86e9f",
    "SALT": "bbcd8e260727cd3e67d5a019e3cd",
    "RANDRi": "f4d87d9820b4dcfb2c8d9009ff90d5f953429da00a78b19539599d558c78bb6e",
    "RAND_ticket": "1e86541058ea286bf12f0bc8745991ae57ee7314f16f6dff7661a2a19bd1912a",
    "RANDRkms": "2d7887b92ad90ed7d9a38aa5e3041b7ce1f28b07aeb975a41c4eca39c53fe4b1",
    "RANDRr_resolve": "2e6ee821758b5b6fcab8007a31c4a485dd514bf6e667896dcef160061f19f897",
    "RANDRr_transfer": "bd0ae2f65309133f6e47904e88a5e6399239f0d32644383242fcf933a9432f30",
    "ticket encr/auth/salt key": (
        "66377905dc15cf866ae909964c00914e97621e892e00bb2eb290851df373fb6e39af1182359a5fa66f7311e569eda20753a8"
        "cd9108620f5e151d169f20f6e74079829156bb35ffc5a74b77ce169d"
    ),
    "MPKi": "1ae063afe44fc7da1875c666603c3741193c730c38371a310dc7a17a5384b581",
    "MPKr": "6f895da097f69181facddd229295d9457b8eaf1f6dc3a22772c92db9f4d57483",
    "ticket IV": "79826ea944ca1864158877ce169d0000",
    "ticket MAC": "64a7bf082ba0ea96ae58bda062f0e8026f06fcab970fef4b5f5051b76992cb9a",
    "REQUEST_INIT_PSK auth_key": "dcd1b215dc089291b2b090846d21842e3f5f01a6b99c26b40c47d98de4da9f8e",
    "REQUEST_RESP encr/auth/salt": (
        "80ce6f3a39f39d4168707ae00f318c6adec270c75321abc2a44c35246be01000b6ce9e482533bf81349640fb66e8ed4a57f4"
        "f63a53a471ace2e9769edb0dacd48d47e9f5620026c119c9f1b94753"
    ),
    "REQUEST_RESP IV": "8d47e3fe6e01c160ab0df1b947530000",
    "TRANSFER_INIT auth_key": "4199709002bbd2a06f12058ea9a4872c9c91af9282a14f107ceb7300bf045e6a",
    "TRANSFER_INIT MAC": "eb350b3b514b14d7dea82b02805df05ff0c342a8e2868129152d5d6b90ee6725",
    "Vr auth_key (from MPKr)": "1a08b3f653958682c7e1d73b1bf9e3824305771488c65fff47b015b751aa52dd",
    "MPKr'": "623b3d63abb5209dfe70d649cce1eef7794285c20f6ec4d36041aa6cc700a03b",
    "TGK'": "04bb453f6a8c2f2922854a81be5dc6edf609540560ee4272bbb7d4b4513b65ee",
    "TRANSFER_RESP auth_key": "499697e321bbc776e8628ed27bc1dba4208e45cd8fef5c79fd83b1355f1b9832",
    "TEK 1": "47255d23fd132c7349f580a4c4988a513c5662f7eda53c5a39b3988826676eb0",
    "TEK 2": "4206bb15c2df27aba62d27f0b53c3d0ff450dd9f4c1fe0be8ddfac8e05fa783f",
}
"""The MIKEY-TICKET exchange with SHA-256 and keys of 256 bits, with key forking."""

SAKKE: dict[str, str] = {
    "Z": (
        "046fc2cf00fd48467abe7c02f383002fc49b6632bf0f7071d958f1f128154e6fae1f69bb91691a191a358fe647a3e020d236"
        "5d52f81fb3af4ea271654f1a880274c1ae228ac72cc15d535394321bd2143cea2619fb3b0c6ce7a5f72714d8ef4d11cb0c99"
        "1c3376ca31b168b01e66021effdbf7920bd66615e6f0d6a1e61c06e72e61b4138738c11bc249a3849e9c4cff327a7d0d2769"
        "c3d97a37f86adfb13baa257e628ce236f40360d3f7b8d95b0e3fcc19417602d7d6b8928b855eae9129be1f0b87d33e884906"
        "dd95a04a8bd61240bad60f9dfada64806726f8f08b86343f54046416f5198116e9798c218bcf9ca07d0baa4be50062bfe54e"
        "44495b6ed59cb6"
    ),
    "KPAK": (
        "0448f9c2c48b50735f6bc70ec6691073243f1e0bd83cc73bb936d61ffcb2d6049a5b297e8205b29fbd8591cb582d6402add2"
        "1451ce4beebeaaa7520e93b11cf28f"
    ),
    "gms UID": "15a4d5b12856538d02d91fedbb766e6dd377b014c92e216666c8fb678608d20e",
    "gms RSK": (
        "043f591611206a0913ecb68ab28e086ac1148fbd5ce4a40bf00a186653ecf6f0055f4f1b5ef8a4b527d33dd28c731c7b2829"
        "d6329283533d499b04c31e2d30437919f486ef76c8a6cbca2f279724539e52b3a1760077670fc35756a9417625d578767178"
        "11bd3f1fb8fb473b547ba874a8f5d747cd63b2ebcdb150f5b454a46ec2512a86f0672439d3121a0eddf5995f18e1c77e3423"
        "ea34427b62281977e3afb9b5c8766c5a32e1f9b29f0bb12d46a03f8f3ec7357e59f969473bcf4d4cdc3cdedb6e7982e64771"
        "17a3c02d86165896485323c96f53a330e5e995ce83b23127542f2177916d5007a5aa116680093911d4bc587cd94e2bdec36d"
        "7290ed4f2d3998"
    ),
    "gms PVT": (
        "0468a24d49b184d7008d22f63a415debd38bfa9295f066fa6ada5951c2322d2eca1d6f1d994f22710daef776d9c54d9a338f"
        "32395080d6f2bdffb6c7895f12cda2"
    ),
    "alice UID": "b5c452309219da6a3d805615548d6c1b0f4de45a6b48fb13d9a24d857fc03dc4",
    "alice RSK": (
        "0428b44cd6dffd2e7fe73521a5c514738287df177c1ae841ba6f5d72601b9c6bc5509c3fd800ac1fee833dd81c74ab39d274"
        "0a10fba25cd9b0debb25a3da958cf52e35e863d2db37ea22b318d23d9911d36f585eb110e430123f3cd84d2692a4013bc7f5"
        "9533e5da2083d8e6e8b96764eb8e8be599dc2361e7428460b8490200417baa5bac10efaa5262301b3110f6da9e8bc9c4b628"
        "27c3d4f4070a8e341346a326a23f219d2a99298036615956bb85a60cf303d15d469c1ee837c29cba5dccb28d74e4ba0d83da"
        "c9400d72eecb1817cc60127203f1321e82b7a24f60c07f1804a9895cbb455a94694a5ef627b1c631760295dad53f0eed1714"
        "ba52d5a932bddd"
    ),
    "alice PVT": (
        "0426cd8b0a33af9b381ee53ebc6841aed5c1c98fb0d2beb9c7ff98d7c79808d1f566659f6b735016192dd9984df56e54f3f9"
        "5c76ac4638c1f3d3228f3c752c8cc8"
    ),
    "iwf UID": "edb3cd733168a81106e366c2ddc0e4bc323e9069d48edfe2b3b0f7033bae962a",
    "iwf RSK": (
        "0424b74f88f8fb0cc7b1fa8b48ef1cd676ac776a3dc98d41c7e334308a7068906d44eb13ea49c472b8835685a4151a2705fb"
        "78e0371ff351d7ed38de0977ca10ad23c91a569010718f0498daa45f46d8c57e40d96081b839d59c0a1ce06a5044f53ec9b3"
        "79e730da0605cafcb922b018023c463478d63298bad759dbcae40e8120703f7badd9e5635a22e2a95d7fa94455225065d1d4"
        "17b3eba279a77882d50425336ed8c5529c608e1777dbad5da9cb23d2fdc5ff0225b1c2237463ac107d9a9f3160e2e4b0e660"
        "1fa7609fe28640d8b03cdda21411370a5610758436ab98793caef1391ff7eaa01ee15e4893d72c648eba206d17199cf416e5"
        "6e09e7bca3ae3d"
    ),
    "iwf PVT": (
        "0411d4c57e7b945588148a55f9e88bd1d62017f4fab600af6bf4dcdb05e6f75e9441e20f7a9e2371ebb34692b941270b5274"
        "4d1699538b41a4cdf043101e23449d"
    ),
    "bob UID": "780851cda91a9c33f941cd3a2831697e2893264754e363f8a0cef827eb201a81",
    "bob RSK": (
        "04421d385f108bd51f66abbce40b899efe187dbb08085d9a535fca8766677db317812e48da407235d73399d4d2e2ed4f5a35"
        "d7694b64595ce0599e4d3592f5b57ede83890fd798aec2cd96f333d6139d9f7ecfecbb79b769f5fbbc6825beeb25999acdf6"
        "fb2edd369176f45db0caf5909aa81512e57064c46ae1c23df9284ffba55741cde0b7a8145fdbea76b4ee243d79bd70db4300"
        "c55570f342ca0df98e8f3b410e1df4ccbdd279403d3da06cad4c5db8d4e078a191a7a0545391e8ca72e51c793448c4ba8be7"
        "1fbac90a84ded3d6127c4d7438a3132f354b283d65da75a5070ecd96f02d694c505efcb05caf2290bf15ee45c15a0e652496"
        "b88acbaf1d26a3"
    ),
    "bob PVT": (
        "049c203fda536ae9481eb7f3a1e4662d0adaa6a3b7d3fff0c2dfadd148a754af424d434253b62dcd08eb6aedb6cd091e09f8"
        "539d41d3ef2d0ce07e8ead352f2dd9"
    ),
}
"""Keys of mission critical users."""
