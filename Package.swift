// swift-tools-version: 6.2
import PackageDescription

let house: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .unsafeFlags(["-cross-module-optimization"], .when(configuration: .release)),
]

let arguments = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")
let grdb = Target.Dependency.product(name: "GRDB", package: "GRDB.swift")
let sqlite = Target.Dependency.product(name: "GRDBSQLite", package: "GRDB.swift")
let crypto = Target.Dependency.product(name: "Crypto", package: "swift-crypto")
let real = Target.Dependency.product(name: "RealModule", package: "swift-numerics")
let histogram = Target.Dependency.product(name: "Histogram", package: "hdrhistogram-swift")

/// llhttp, an independent judge of what a message means; the product does not link it.
let nio = Target.Dependency.product(name: "NIOHTTP1", package: "swift-nio")

// The targets stand in the order in which a captured exchange meets them, and each depends only
// on targets above it (Scripts/check-layers). Read top to bottom, this is the path of a request.
let package = Package(
    name: "lab",
    products: [
        // For Scripts/bench/parser and Scripts/fuzz, which are packages of their own.
        .library(name: "LabWire", targets: ["LabWire"])
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
        .package(url: "https://github.com/HdrHistogram/hdrhistogram-swift", from: "0.2.0"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-numerics", from: "1.1.1"),
    ],
    targets: [
        .target(name: "CLabLinux"),
        .target(name: "CLabPython"),
        .target(name: "LabWire", swiftSettings: house),
        .target(name: "LabExchange", dependencies: ["LabWire"], swiftSettings: house),
        .target(
            name: "LabForkServer",
            dependencies: ["CLabLinux", "LabWire", "LabExchange"],
            swiftSettings: house
        ),
        .target(
            name: "LabPython",
            dependencies: ["CLabLinux", "CLabPython", "LabExchange", "LabForkServer"],
            resources: [.embedInCode("Gateway.py")],
            swiftSettings: house
        ),
        .target(
            name: "LabSession",
            dependencies: ["LabWire", "LabExchange", grdb, sqlite, crypto],
            swiftSettings: house
        ),
        .target(
            name: "LabReplayer",
            dependencies: ["CLabLinux", "LabWire", "LabExchange", crypto, histogram],
            swiftSettings: house
        ),
        .target(
            name: "LabComparer",
            dependencies: ["LabWire", "LabExchange", real],
            swiftSettings: house
        ),
        .target(
            name: "LabReporter",
            dependencies: ["LabWire", "LabExchange", "LabSession", "LabComparer"],
            swiftSettings: house
        ),
        .executableTarget(
            name: "lab-forkserver",
            dependencies: ["LabForkServer"],
            swiftSettings: house,
            linkerSettings: [
                .unsafeFlags([
                    "-static-executable", "-Xlinker", "-z", "-Xlinker", "max-page-size=0x200000",
                ])
            ]
        ),
        .executableTarget(
            name: "lab-forkserver-python",
            dependencies: ["LabForkServer", "LabPython"],
            swiftSettings: house,
            linkerSettings: [
                .unsafeFlags([
                    "-static-stdlib", "-Xlinker", "-z", "-Xlinker", "max-page-size=0x200000",
                ])
            ]
        ),
        .executableTarget(
            name: "lab",
            dependencies: [
                "CLabLinux", "LabWire", "LabExchange", "LabForkServer", "LabPython", "LabSession",
                "LabReplayer", "LabComparer", "LabReporter", arguments, histogram,
            ],
            swiftSettings: house
        ),

        // Values, builders and real servers that the tests share.
        .target(
            name: "LabTestSupport",
            dependencies: ["LabWire"],
            path: "Tests/LabTestSupport",
            swiftSettings: house
        ),
        .testTarget(
            name: "LabWireTests",
            dependencies: ["LabWire", "LabTestSupport", nio],
            swiftSettings: house
        ),
        .testTarget(
            name: "LabExchangeTests",
            dependencies: ["LabExchange", "LabWire", "LabTestSupport"],
            swiftSettings: house
        ),
        .testTarget(
            name: "LabForkServerTests",
            dependencies: ["LabForkServer", "LabExchange", "LabWire", "LabTestSupport"],
            swiftSettings: house
        ),
        .testTarget(
            name: "LabSessionTests",
            dependencies: ["LabSession", "LabExchange", "LabWire", grdb],
            swiftSettings: house
        ),
        .testTarget(
            name: "LabReplayerTests",
            dependencies: [
                "LabReplayer", "LabExchange", "LabWire", "CLabLinux", crypto, histogram,
            ],
            swiftSettings: house
        ),
        .testTarget(
            name: "LabComparerTests",
            dependencies: ["LabComparer", "LabExchange", "LabWire", "LabTestSupport", real],
            swiftSettings: house
        ),
        .testTarget(
            name: "LabReporterTests",
            dependencies: ["LabReporter", "LabSession", "LabExchange", "LabWire", grdb],
            exclude: ["Golden"],
            swiftSettings: house
        ),
        // The built executables, driven as a user drives them.
        .testTarget(
            name: "EndToEndTests",
            dependencies: ["LabTestSupport"],
            exclude: ["Applications"],
            swiftSettings: house
        ),
    ]
)
