# Prints a sentence for each dependency that points down the page of Package.swift.
[.targets[].name] as $order
| .targets | to_entries[]
| .key as $here | .value.name as $name
| .value.dependencies[]
| (.byName // .target // empty)[0] as $dependency
| ($order | index($dependency)) as $there
| select($there != null and $there >= $here)
| "\($name) depends on \($dependency), which Package.swift lists below it."
