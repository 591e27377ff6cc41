// swift-tools-version: 6.2
import PackageDescription

/// Settings every Swift target shares. One list, so that strictness never varies by folder.
let common: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .treatAllWarnings(as: .error),
]

/// What a target's code may touch.
enum Purity {
    /// No clock, socket, file, Foundation or pointer.
    case pure
    /// Calls C. Strict memory safety would mark every line, so it marks none.
    case foreign
}

/// A Swift target. Its dependencies are its *only* permitted imports (`make lint`,
/// docs/architecture.md).
func module(_ name: String, _ purity: Purity, _ dependencies: [Target.Dependency] = []) -> Target {
    .target(
        name: name, dependencies: dependencies,
        swiftSettings: purity == .pure ? common + [.strictMemorySafety()] : common)
}

func tests(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .testTarget(
        name: name, dependencies: dependencies, exclude: goldens[name] ?? [],
        swiftSettings: common)
}

/// Folders of test data, read from the source tree at run time.
let goldens = [
    "ExporterTests": ["Golden"], "VocabularyTests": ["Golden"],
    "StoreTests": ["Fixtures", "chunk_reader.py"],
    "WireTests": ["Corpus"],
]

func system(_ name: String, _ pkgConfig: String, apt: String) -> Target {
    .systemLibrary(name: name, pkgConfig: pkgConfig, providers: [.apt([apt])])
}

let arguments = Target.Dependency.product(
    name: "ArgumentParser", package: "swift-argument-parser")
let logging = Target.Dependency.product(name: "Logging", package: "swift-log")
let deque = Target.Dependency.product(name: "DequeModule", package: "swift-collections")
let heap = Target.Dependency.product(name: "HeapModule", package: "swift-collections")
let yams = Target.Dependency.product(name: "Yams", package: "Yams")
let lifecycle = Target.Dependency.product(
    name: "ServiceLifecycle", package: "swift-service-lifecycle")

let signals = Target.Dependency.product(name: "UnixSignals", package: "swift-service-lifecycle")

let package = Package(
    name: "weir",
    products: [
        .executable(name: "weir", targets: ["weir"]),
        .library(name: "weir_store", type: .dynamic, targets: ["StoreExtension"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
    ],
    targets: [
        // C libraries, and what Swift cannot import of them.
        system("COpenSSL", "openssl", apt: "libssl-dev"),
        system("CMnl", "libmnl", apt: "libmnl-dev"),
        system("CSQLite", "sqlite3", apt: "libsqlite3-dev"),
        system("CMicroHTTPD", "libmicrohttpd", apt: "libmicrohttpd-dev"),
        system("CCurl", "libcurl", apt: "libcurl4-openssl-dev"),
        system("CZlib", "zlib", apt: "zlib1g-dev"),
        system("CGnuTLS", "gnutls", apt: "libgnutls28-dev"),
        system("CCrypt", "libcrypt", apt: "libcrypt-dev"),
        .target(name: "CLinux"),

        // Pure: bytes and time go in, bytes and facts come out.
        module("Vocabulary", .pure),
        module("Wire", .pure),
        module("Rules", .pure, ["Vocabulary"]),
        module("Forecast", .pure),
        module("Encoding", .pure),
        module("Interchange", .pure, ["Vocabulary"]),
        module("Presentation", .pure, ["Vocabulary"]),
        module("Page", .pure, ["Presentation", "Vocabulary"]),
        module("Crypto", .foreign, ["COpenSSL"]),
        module("ESP", .pure, ["Crypto", "Vocabulary"]),
        module("RADIUS", .pure, ["Crypto", "Vocabulary", deque]),
        module("Engine", .pure, ["Crypto", "ESP", "Vocabulary", "Wire", deque, heap]),

        // Shells: sockets, files, clocks, threads.
        module("Clocks", .foreign, ["Vocabulary"]),
        module("SQLite", .foreign, ["CSQLite"]),
        module("Store", .foreign, ["Encoding", "Interchange", "SQLite", "Vocabulary"]),
        module("Transfer", .foreign, ["Interchange", "SQLite", "Store", "Vocabulary"]),
        // For the sqlite3 shell: loads where there is no Swift.
        .target(
            name: "StoreExtension", dependencies: ["CSQLite", "SQLite", "Store"],
            swiftSettings: common,
            linkerSettings: [
                .unsafeFlags(["-static-stdlib"], .when(configuration: .release))
            ]),
        module(
            "Exporter", .foreign,
            ["CCrypt", "CGnuTLS", "CMicroHTTPD", "CZlib", "Crypto", "Vocabulary"]),
        module("Alerts", .foreign, ["CCurl", "Vocabulary", logging]),
        module(
            "Recorder", .foreign,
            ["Alerts", "Clocks", "Crypto", "Exporter", "Rules", "Store", "Vocabulary", logging]),
        module("Settings", .foreign, ["Crypto", "Engine", "Vocabulary", yams]),
        module(
            "Gateway", .foreign,
            ["CLinux", "CMnl", "Clocks", "Crypto", "ESP", "Engine", "RADIUS", "Vocabulary"]),
        module("Forensics", .foreign, ["SQLite", "Store", "Vocabulary"]),
        module(
            "Capacity", .foreign,
            ["Encoding", "Forecast", "Presentation", "SQLite", "Store", "Vocabulary"]),
        module(
            "LoadTest", .foreign,
            ["Clocks", "Crypto", "ESP", "Engine", "Gateway", "Vocabulary", deque]),
        .executableTarget(
            name: "weir",
            dependencies: [
                "Alerts", "Capacity", "Clocks", "Crypto", "ESP", "Engine", "Exporter", "Forensics",
                "Gateway", "LoadTest", "Page", "Presentation", "RADIUS", "Recorder", "Rules",
                "Settings", "Store", "Transfer",
                "Vocabulary", arguments, lifecycle, logging, signals,
            ],
            swiftSettings: common),

        // Tests. TestKit is a simulated gateway, client, network and clock.
        .target(
            name: "TestKit",
            dependencies: ["Crypto", "ESP", "Engine", "LoadTest", "Vocabulary", "Wire"],
            path: "Tests/TestKit", swiftSettings: common),
        // Folders that go when the test is over.
        .target(name: "TestFiles", path: "Tests/TestFiles", swiftSettings: common),
        // What gateways tell, for benches.
        .target(
            name: "BenchFacts", dependencies: ["Vocabulary"], path: "Tests/BenchFacts",
            swiftSettings: common),
        // Files that fail, for the store's tests.
        .target(name: "CFaultyFiles", dependencies: ["CSQLite"], path: "Tests/FaultyFiles"),
        .executableTarget(
            name: "defence-bench",
            dependencies: ["CLinux", "Crypto", "ESP", "Engine", "Vocabulary"],
            path: "Tests/Bench", swiftSettings: common),
        .executableTarget(
            name: "store-crash-helper", dependencies: ["CFaultyFiles", "Store", "Vocabulary"],
            path: "Tests/StoreCrashHelper", swiftSettings: common),
        .executableTarget(
            name: "recorder-bench",
            dependencies: [
                "BenchFacts", "Crypto", "Exporter", "Recorder", "Store", "Vocabulary", logging,
            ],
            path: "Tests/RecorderBench", swiftSettings: common),
        .executableTarget(
            name: "store-bench", dependencies: ["BenchFacts", "SQLite", "Store", "Vocabulary"],
            path: "Tests/StoreBench", exclude: ["compare.py"], swiftSettings: common),
        tests("AlertsTests", ["Alerts", "Vocabulary", logging]),
        tests(
            "CapacityTests",
            ["Capacity", "Forecast", "Presentation", "SQLite", "Store", "Vocabulary"]),
        tests("CryptoTests", ["Crypto"]),
        tests("EncodingTests", ["Encoding"]),
        tests("EngineTests", ["Crypto", "ESP", "Engine", "TestKit", "Vocabulary", "Wire"]),
        tests("ESPTests", ["Crypto", "ESP", "Vocabulary"]),
        tests("ExporterTests", ["Crypto", "Exporter", "Vocabulary"]),
        tests("ForecastTests", ["Forecast"]),
        tests("ForensicsTests", ["Forensics", "SQLite", "Store", "TestFiles", "Vocabulary"]),
        tests(
            "GatewayTests",
            ["CLinux", "Clocks", "Crypto", "ESP", "Engine", "Gateway", "Vocabulary"]),
        tests(
            "LoadTestTests",
            ["Clocks", "Crypto", "ESP", "Engine", "Gateway", "LoadTest", "Vocabulary"]),
        tests("PageTests", ["Page", "Presentation", "Vocabulary"]),
        tests("PresentationTests", ["Presentation", "Vocabulary"]),
        tests("RADIUSTests", ["Crypto", "RADIUS", "Vocabulary"]),
        tests(
            "RecorderTests",
            ["Alerts", "Clocks", "Crypto", "Exporter", "Recorder", "Store", "Vocabulary", logging]),
        tests("RulesTests", ["Rules", "Vocabulary"]),
        tests("SettingsTests", ["Crypto", "Engine", "Settings", "Vocabulary"]),
        tests("SQLiteTests", ["SQLite"]),
        tests("InterchangeTests", ["Interchange", "Vocabulary"]),
        tests(
            "StoreTests",
            [
                "CFaultyFiles", "Encoding", "SQLite", "Store", "TestFiles", "Vocabulary",
                "store-crash-helper",
            ]),
        tests(
            "TransferTests",
            [
                "Crypto", "Forensics", "Interchange", "Recorder", "Store", "TestFiles", "Transfer",
                "Vocabulary",
            ]),
        tests("VocabularyTests", ["Vocabulary"]),
        tests("WireTests", ["Wire"]),
    ]
)
