import LabForkServer
print(LabForkServerStub.x)
