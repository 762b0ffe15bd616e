// swift-tools-version: 6.2
// What Scripts/fuzz builds. It stands apart from the product's package because it links nowhere but
// there: Scripts/fuzz hands the compiler the flags that bring libFuzzer and instrument LabWire.
import PackageDescription

let package = Package(
    name: "fuzz-package",
    dependencies: [.package(name: "lab", path: "../..")],
    targets: [
        .target(name: "CFuzzer"),
        .executableTarget(
            name: "WireFuzz",
            dependencies: ["CFuzzer", .product(name: "LabWire", package: "lab")]
        ),
    ]
)
