// swift-tools-version: 6.2
// What Scripts/bench/parser builds. It stands apart from the product's package because it links
// swift-nio, which the product never does, and replaces malloc, which nothing else should.
import PackageDescription

let package = Package(
    name: "parser-package",
    dependencies: [
        .package(name: "lab", path: "../../.."),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
    ],
    targets: [
        // llhttp is not a product of swift-nio: its header is found because NIOHTTP1 depends on it.
        .target(
            name: "CParserBench",
            dependencies: [.product(name: "NIOHTTP1", package: "swift-nio")],
            cSettings: [.unsafeFlags(["-O3"])]
        ),
        .executableTarget(
            name: "ParserBench",
            dependencies: [
                "CParserBench",
                .product(name: "LabWire", package: "lab"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOEmbedded", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
            ],
            // A reader in a captured variable would be checked at each access; a caller that holds
            // it in a local one pays nothing of the kind.
            swiftSettings: [
                .unsafeFlags(["-cross-module-optimization", "-enforce-exclusivity=unchecked"])
            ]
        ),
    ]
)
